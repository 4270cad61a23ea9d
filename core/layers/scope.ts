// Parameters by name, after Flax: a model asks its scope for parameters and child scopes, and the same code either
// collects what must be initialised or reads what is there. Keys are folded from the path as Flax folds them, so
// that a seed gives the original's initial values.

import { createHash } from 'node:crypto';
import { catalogue } from '../errors';
import type { Initializer } from '../extensions';
import { TensorSpec } from '../runtime';
import { didYouMean } from '../suggest';
import * as tf from '../tensor';
import { isDict, type NestedRecord } from '../tree';

export const scopeErrors = catalogue('model', {
  missingParam: (v: { path: string; known: readonly string[] }) => ({
    what: `There is no parameter "${v.path}".${didYouMean(v.path.split('/').at(-1) as string, v.known)}`,
    fix: `check that the checkpoint and the config describe the same model${v.known.length > 0 ? `; beside it are: ${v.known.join(', ')}` : ''}.`,
  }),
  paramShape: (v: { path: string; expected: readonly number[]; found: readonly number[] }) => ({
    what: `The parameter "${v.path}" has shape [${v.found.join(', ')}], the model expects [${v.expected.join(', ')}].`,
    fix: 'load it with "dont_load" for this name, or make the model options agree with the checkpoint.',
  }),
  shape: (v: { path: string; what: string; fix: string }) => ({
    what: `${v.path === '' ? 'The model' : `"${v.path}"`}: ${v.what}.`,
    fix: v.fix,
  }),
});

/** What a parameter is to be made of. */
export interface ParamDeclaration {
  readonly name: string;
  readonly spec: TensorSpec;
  readonly init: Initializer;
  /** Folded into the run's init key: 32 bits of the path, as `foldPath` makes them. */
  readonly fold: number;
}

/** Where a scope's parameters come from. */
type Source =
  | { readonly kind: 'declare'; readonly declared: ParamDeclaration[] }
  | { readonly kind: 'read'; readonly params: NestedRecord<tf.Tensor> };

/** Keys of named random streams (`dropout`), absent outside training. */
export type RngStreams = { readonly [stream: string]: tf.Tensor };

/**
 * Flax's fold of a path into 32 bits: SHA-1 over the names (UTF-8) and counters (big-endian, no leading zeros), first
 * four bytes, big-endian.
 */
export function foldPath(path: readonly (string | number)[]): number {
  const hash = createHash('sha1');
  for (const part of path) {
    if (typeof part === 'string') hash.update(part, 'utf8');
    else hash.update(Buffer.from(part === 0 ? '' : evenHex(part), 'hex'));
  }
  return hash.digest().readUInt32BE(0);
}

function checkShape(path: string, expected: readonly number[], found: readonly number[]): void {
  const equal = found.length === expected.length && found.every((dim, i) => dim === expected[i]);
  if (!equal) throw scopeErrors.paramShape({ path, expected, found });
}

const evenHex = (n: number) => {
  const hex = n.toString(16);
  return hex.length % 2 === 0 ? hex : `0${hex}`;
};

export class Scope {
  private readonly counters = new Map<string, number>();
  private readonly children = new Map<string, Scope>();

  private constructor(
    readonly path: readonly string[],
    private readonly source: Source,
    private readonly rngs: RngStreams,
  ) {}

  /** A scope that writes down every parameter that the model asks for. */
  static declaring(declared: ParamDeclaration[], rngs: RngStreams = {}): Scope {
    return new Scope([], { kind: 'declare', declared }, rngs);
  }

  /** A scope over existing parameters. */
  static reading(params: NestedRecord<tf.Tensor>, rngs: RngStreams = {}): Scope {
    return new Scope([], { kind: 'read', params }, rngs);
  }

  get name(): string {
    return this.path.join('/');
  }

  /** The same name is the same scope: a layer that is called twice shares its parameters. */
  child(name: string): Scope {
    const known = this.children.get(name);
    if (known) return known;
    const made = new Scope([...this.path, name], this.childSource(name), this.rngs);
    this.children.set(name, made);
    return made;
  }

  private childSource(name: string): Source {
    if (this.source.kind === 'declare') return this.source;
    const params = this.source.params[name];
    return { kind: 'read', params: isDict(params) ? params : {} };
  }

  /**
   * The parameter of this name, float32 unless said otherwise.
   * @throws UserError if it isn't there or has another shape; the message names the path.
   */
  param(name: string, shape: readonly number[], init: Initializer): tf.Tensor {
    const path = [...this.path, name].join('/');
    if (this.source.kind === 'declare') {
      const { declared } = this.source;
      const before = declared.find((declaration) => declaration.name === path);
      if (before) checkShape(path, shape, before.spec.shape);
      else {
        const fold = foldPath([...this.path, this.count('params')]);
        declared.push({ name: path, spec: new TensorSpec('float32', shape), init, fold });
      }
      return tf.zeros(shape as number[]);
    }
    const value = this.source.params[name];
    if (!(value instanceof tf.Tensor)) {
      throw scopeErrors.missingParam({ path, known: Object.keys(this.source.params) });
    }
    checkShape(path, shape, value.shape);
    return value;
  }

  /** True where the stream has a key: a model draws dropout only then. */
  hasRng(stream: string): boolean {
    return stream in this.rngs;
  }

  /** A new key (int32 [2]) of the stream, folded from the path and the number of keys drawn here before. */
  rng(stream: string): tf.Tensor {
    const key = this.rngs[stream];
    if (!key) throw new Error(`The scope "${this.name}" has no random stream "${stream}"`);
    return tf.random.foldIn(key, foldPath([...this.path, this.count(stream)]));
  }

  /** An error about shapes that names where in the model it is. */
  shapeError(what: string, fix: string): Error {
    return scopeErrors.shape({ path: this.name, what, fix });
  }

  private count(stream: string): number {
    const next = (this.counters.get(stream) ?? 0) + 1;
    this.counters.set(stream, next);
    return next;
  }
}
