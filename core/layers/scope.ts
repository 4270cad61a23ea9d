// Parameters by name, after Flax: a model asks its scope for parameters and child scopes, and the same code either
// collects what must be initialised or reads what is there. Keys are folded from the path as Flax folds them, so
// that a seed gives the original's initial values.

import { createHash } from 'node:crypto';
import { catalogue } from '../errors';
import type { Initializer } from '../extensions';
import { TensorSpec } from '../runtime';
import { didYouMean } from '../suggest';
import * as tf from '../tensor';
import { isDict, leaves, mapTree, type NestedRecord, type Tree } from '../tree';

const errors = catalogue('model', {
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

/** An axis of layers: equal layers keep their parameters in one tensor. */
export interface LayerAxis {
  readonly length: number;
  /** The position of the axis in the stacked parameter. */
  readonly axis: number;
}

/** What a parameter is to be made of. */
export interface ParamDeclaration {
  readonly name: string;
  /** With the axes of layers. */
  readonly spec: TensorSpec;
  /** Makes one layer's value. */
  readonly init: Initializer;
  /** Folded into the run's init key: 32 bits of the path, as `foldPath` makes them. Known once the model has run. */
  readonly fold: number;
  /** The outermost first; most often none. */
  readonly layers: readonly LayerAxis[];
  /** Flax's random stream that its initial value is drawn from: `state` for a variable. */
  readonly stream: 'params' | 'state';
}

/** Where a scope's parameters come from. */
type Source =
  | { readonly kind: 'declare'; readonly declared: ParamDeclaration[] }
  | {
      readonly kind: 'read';
      readonly params: NestedRecord<tf.Tensor>;
      readonly pick: PickLayer;
      /** How many axes of layers, from the outermost, the parameters don't have any more. */
      readonly taken: number;
      /** New values of variables by name, where the model may set them. */
      readonly updates?: Map<string, tf.Tensor>;
    };
/** The part of a stacked parameter that belongs to this scope's layer. */
type PickLayer = (value: tf.Tensor) => tf.Tensor;

/** A value that a model keeps from step to step: see `Scope.variable`. */
export interface Variable {
  /** What was set last in this call of the model, or what it was before. */
  readonly value: tf.Tensor;
  /** Its value from the next step on; of the same shape. Only in training: see `Scope.reading`. */
  set(value: tf.Tensor): void;
}

/** How layers are scanned. */
export interface LayerScan<X extends Tree<tf.Tensor>> extends Pick<tf.ScanOptions, 'remat' | 'reverse'> {
  /** The position of the axis of layers in the stacked parameters. Default: 0. */
  readonly axis?: number;
  /** What layers get one slice each of, along the leading axis. */
  readonly xs?: X;
}

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

/**
 * The keys that a parameter's initial value is made with, from the run's init key: one, or one for each layer of a stack
 * (the last axis fastest). The run's key is split over the layers before the path is folded in, as Flax's lifted scan
 * does.
 */
export function initKeys({ fold, layers }: ParamDeclaration, key: tf.random.HostKey): tf.random.HostKey[] {
  const split = layers.reduce(
    (keys, { length }) => keys.flatMap((key) => tf.random.split(key, length)),
    [key],
  );
  return split.map((key) => tf.random.foldIn(key, fold));
}

/** The initial value of a parameter, from its `initKeys` (int32 [keys, 2]). Traced. */
export function initValue({ spec, init, layers }: ParamDeclaration, keys: tf.Tensor): tf.Tensor {
  let next = 0;
  const rows = tf.unstack(keys);
  const make = ([outer, ...inner]: readonly LayerAxis[], shape: readonly number[]): tf.Tensor => {
    if (!outer) return init(rows[next++] as tf.Tensor, shape);
    const ofLayer = shape.filter((_, i) => i !== outer.axis);
    const values = Array.from({ length: outer.length }, () => make(inner, ofLayer));
    return tf.stack(values, outer.axis);
  };
  const value = make(layers, spec.shape);
  return spec.dtype === 'float32' ? value : tf.castStorage(value, spec.dtype as tf.StorageType);
}

function checkShape(path: string, expected: readonly number[], found: readonly number[]): void {
  const equal = found.length === expected.length && found.every((dim, i) => dim === expected[i]);
  if (!equal) throw errors.paramShape({ path, expected, found });
}

/** The shape with the axes of layers put in, the innermost first. */
function withLayers(shape: readonly number[], layers: readonly LayerAxis[]): number[] {
  const full = [...shape];
  for (const { length, axis } of [...layers].reverse()) full.splice(axis, 0, length);
  return full;
}

const evenHex = (n: number) => {
  const hex = n.toString(16);
  return hex.length % 2 === 0 ? hex : `0${hex}`;
};

export class Scope {
  private readonly counters = new Map<string, number>();
  private readonly children = new Map<string, Scope>();
  private readonly stacks = new Map<string, readonly Scope[]>();

  private constructor(
    readonly path: readonly string[],
    private readonly source: Source,
    private readonly rngs: RngStreams,
    /** The axes of layers that this scope is one layer of, the outermost first. */
    private readonly layers: readonly LayerAxis[] = [],
  ) {}

  /** A scope that writes down every parameter that the model asks for. */
  static declaring(declared: ParamDeclaration[], rngs: RngStreams = {}): Scope {
    return new Scope([], { kind: 'declare', declared }, rngs);
  }

  /**
   * A scope over existing parameters, and variables at their places among them.
   * @param updates gets the new values of variables by name; without it the model can't set any
   */
  static reading(
    params: NestedRecord<tf.Tensor>,
    rngs: RngStreams = {},
    updates?: Map<string, tf.Tensor>,
  ): Scope {
    return new Scope([], { kind: 'read', params, pick: (value) => value, taken: 0, updates }, rngs);
  }

  get name(): string {
    return this.path.join('/');
  }

  /** The same name is the same scope: a layer that is called twice shares its parameters. */
  child(name: string): Scope {
    const known = this.children.get(name);
    if (known) return known;
    const made = new Scope([...this.path, name], this.childSource(name), this.rngs, this.layers);
    this.children.set(name, made);
    return made;
  }

  /**
   * This scope before anything was drawn from it: for a function that a backward pass runs again (`tf.remat`), and that has to
   * draw the same keys then.
   */
  fresh(): Scope {
    return new Scope(this.path, this.source, this.rngs, this.layers);
  }

  /**
   * The scopes of `length` layers whose parameters are stacked along `axis` under one name, as Flax's lifted scan has
   * them: for layers that are equal in their parameters and differ in what they do. Otherwise see `scan`.
   */
  stacked(name: string, length: number, axis = 0): readonly Scope[] {
    const known = this.stacks.get(name);
    if (known) return known;
    const path = [...this.path, name];
    const layers = [...this.layers, { length, axis }];
    const source = this.childSource(name);
    const rngs = Object.entries(this.rngs).map(
      ([stream, key]) => [stream, tf.random.split(key, length)] as const,
    );
    // One unstack a parameter, whichever layer asks first: its gradient is then one stack.
    const parts = new Map<tf.Tensor, tf.Tensor[]>();
    const partsOf = (value: tf.Tensor) => {
      const slices = parts.get(value) ?? tf.unstack(value, axis);
      parts.set(value, slices);
      if (slices.length !== length) throw this.depthError(path, slices.length, length);
      return slices;
    };
    const made = Array.from({ length }, (_, i) => {
      const ofLayer: Source =
        source.kind === 'declare'
          ? source
          : { ...source, pick: (value) => partsOf(source.pick(value))[i] as tf.Tensor };
      const keys = rngs.map(([stream, keys]) => [stream, keys[i] as tf.Tensor]);
      return new Scope(path, ofLayer, Object.fromEntries(keys) as RngStreams, layers);
    });
    this.stacks.set(name, made);
    return made;
  }

  /**
   * Runs `length` equal layers one after the other, each on the result of the one before, with their parameters stacked
   * along `axis` under one name, as Flax's lifted scan does. Each layer has its own initial values and random streams. A
   * compiled program has one copy of the layer, whatever the length. `remat`: what the backward pass may keep of each
   * layer. `reverse`: from the last layer to the first.
   *
   * @param body of a layer's scope, the carry and the layer's slice of `xs` along the leading axis: the next carry, of the
   *   same shapes and dtypes, and any tree of tensors
   * @returns the last carry, and the trees stacked on a new leading axis, in the order of the layers
   */
  scan<Carry extends Tree<tf.Tensor>, Out extends Tree<tf.Tensor>, X extends Tree<tf.Tensor> = undefined>(
    name: string,
    length: number,
    body: (layer: Scope, carry: Carry, x: X) => readonly [carry: Carry, out: Out],
    init: Carry,
    { axis = 0, remat, xs, reverse }: LayerScan<X> = {},
  ): [carry: Carry, out: Out] {
    const path = [...this.path, name];
    const layers = [...this.layers, { length, axis }];
    const source = this.childSource(name);
    const stacked = source.kind === 'read' ? this.toFront(source, path, length, axis) : {};
    const rngs = Object.fromEntries(
      Object.entries(this.rngs).map(([stream, key]) => [stream, tf.random.splitStacked(key, length)]),
    );
    const step = (
      carry: Carry,
      slice: { params: NestedRecord<tf.Tensor>; rngs: RngStreams; x: Tree<tf.Tensor> },
    ) => {
      const ofLayer: Source =
        source.kind === 'declare'
          ? source
          : { kind: 'read', params: slice.params, pick: (value) => value, taken: layers.length };
      return body(new Scope(path, ofLayer, slice.rngs, layers), carry, slice.x as X);
    };
    return tf.scan(step, init, { params: stacked, rngs, x: xs }, { length, remat, reverse });
  }

  /** A stack's parameters with the axis of layers in front. */
  private toFront(
    { params, pick }: Source & { readonly kind: 'read' },
    path: readonly string[],
    length: number,
    axis: number,
  ): NestedRecord<tf.Tensor> {
    const picked = mapTree<tf.Tensor, tf.Tensor, NestedRecord<tf.Tensor>>(params as Tree<tf.Tensor>, pick);
    for (const { shape } of leaves<tf.Tensor>(picked)) {
      if (shape[axis] !== length) throw this.depthError(path, shape[axis] ?? 0, length);
    }
    if (axis === 0) return picked;
    return mapTree<tf.Tensor, tf.Tensor, NestedRecord<tf.Tensor>>(picked as Tree<tf.Tensor>, (value) =>
      tf.transpose(value, [axis, ...value.shape.map((_, i) => i).filter((i) => i !== axis)]),
    );
  }

  private depthError(path: readonly string[], found: number, length: number): Error {
    const what = `"${path.join('/')}" has parameters of ${found} layers, and the model has ${length}`;
    return this.shapeError(what, 'make the depth of the model agree with the checkpoint.');
  }

  private childSource(name: string): Source {
    if (this.source.kind === 'declare') return this.source;
    const params = this.source.params[name];
    return { ...this.source, params: isDict(params) ? params : {} };
  }

  /**
   * The parameter of this name, stored as float32 unless said otherwise. One that is read keeps its own storage.
   * @throws UserError if it isn't there or has another shape; the message names the path.
   */
  param(
    name: string,
    shape: readonly number[],
    init: Initializer,
    storage: tf.StorageType = 'float32',
  ): tf.Tensor {
    return this.leaf(name, shape, init, storage, 'params');
  }

  /**
   * A value of float32 that isn't trained but that the model itself changes in training, such as running statistics or a
   * codebook: what Flax keeps in collections beside `params`. Not in layers that are scanned.
   * @throws UserError as `param` does
   */
  variable(name: string, shape: readonly number[], init: Initializer): Variable {
    const path = [...this.path, name].join('/');
    if (this.layers.length > 0) throw new Error(`The variable "${path}" is in a stack of layers`);
    const before = this.leaf(name, shape, init, 'float32', 'state');
    const updates = this.source.kind === 'read' ? this.source.updates : new Map<string, tf.Tensor>();
    return {
      get value() {
        return updates?.get(path) ?? before;
      },
      set(value) {
        if (!updates) throw new Error(`The variable "${path}" is set outside of training`);
        checkShape(path, before.shape, value.shape);
        updates.set(path, value);
      },
    };
  }

  private leaf(
    name: string,
    shape: readonly number[],
    init: Initializer,
    storage: tf.StorageType,
    stream: ParamDeclaration['stream'],
  ): tf.Tensor {
    const path = [...this.path, name].join('/');
    if (this.source.kind === 'declare') {
      this.declare(path, shape, init, storage, stream, this.source.declared);
      // Not `zeros`, which would fill as much host memory: a kernel of its own, of which an abstract trace keeps the shape.
      const value = tf.fill(shape as number[], 0);
      return storage === 'float32' ? value : tf.castStorage(value, storage);
    }
    const found = this.source.params[name];
    if (!(found instanceof tf.Tensor)) {
      throw errors.missingParam({ path, known: Object.keys(this.source.params) });
    }
    const { pick, taken } = this.source;
    if (this.layers.length > 0 && found.rank !== shape.length + this.layers.length - taken) {
      const whole = withLayers(found.shape, this.layers.slice(0, taken));
      throw errors.paramShape({ path, expected: withLayers(shape, this.layers), found: whole });
    }
    const value = pick(found);
    checkShape(path, shape, value.shape);
    return value;
  }

  private declare(
    path: string,
    shape: readonly number[],
    init: Initializer,
    storage: tf.StorageType,
    stream: ParamDeclaration['stream'],
    declared: ParamDeclaration[],
  ): void {
    const spec = new TensorSpec(storage, withLayers(shape, this.layers));
    const before = declared.find((declaration) => declaration.name === path);
    if (before) return checkShape(path, spec.shape, before.spec.shape);
    const index = this.count(stream);
    const scope = this as Scope;
    declared.push({
      name: path,
      spec,
      init,
      layers: this.layers,
      stream,
      // Late, since in a stack it depends on how many parameters the scope will have.
      get fold() {
        const inScope = scope.counters.get(stream) as number;
        return foldPath([...scope.path, (scope.passes - 1) * inScope + index]);
      },
    });
  }

  /** How often Flax runs the body of nested scans before the numbers that it draws count: twice for each level. */
  private get passes(): number {
    return 2 ** this.layers.length;
  }

  /** True where the stream has a key: a model draws dropout only then. */
  hasRng(stream: string): boolean {
    return stream in this.rngs;
  }

  /**
   * A new key (int32 [2]) of the stream, folded from the path and the number of keys drawn here before. In stacked
   * layers Flax's depend on how many keys the scope draws in all, which is `draws`.
   */
  rng(stream: string, draws = 1): tf.Tensor {
    const key = this.rngs[stream];
    if (!key) throw new Error(`The scope "${this.name}" has no random stream "${stream}"`);
    return tf.random.foldIn(key, foldPath([...this.path, (this.passes - 1) * draws + this.count(stream)]));
  }

  /** An error about shapes that names where in the model it is. */
  shapeError(what: string, fix: string): Error {
    return errors.shape({ path: this.name, what, fix });
  }

  private count(stream: string): number {
    const next = (this.counters.get(stream) ?? 0) + 1;
    this.counters.set(stream, next);
    return next;
  }
}
