// Jitted functions: a program for each combination of structures, types, shardings and static values.

import { engine, Tensor } from '@tensorflow/tfjs-core';
import { type Compiled, type Jitted, type JitOptions, TensorSpec } from '../../../core/runtime';
import type { XlaBackend } from '../backend';
import { errors } from '../errors';
import type { ArrayType } from '../mesh';
import type { DataRecord } from '../record';
import { collectLeaves, type Tree, type TreeDef } from '../../../core/tree';
import { warn } from '../warn';
import { describeLeaf, type FlatArguments, flattenArguments, leafNames, staticKey } from './arguments';
import { carriedIn, carriedKey } from './carried';
import type { Compiler } from './compiler';
import { type GivenArguments, placeOf, Program, type TracedProgram } from './program';
import { explainRetrace, type Signature } from './retrace';
import { specType, traceProgram } from './tracing';

/** What a call must have for a program to be its: checked without taking the call apart by name. */
interface Pattern {
  readonly treedefs: readonly (TreeDef | undefined)[];
  readonly types: readonly ArrayType[];
  /** Keys of the donated arguments, one for each argument. */
  readonly carried: readonly (string | undefined)[];
  readonly program: Program;
}

export class JitFunction {
  private readonly cache = new Map<string, Program>();
  private last: Signature | undefined;
  /** The last signature with certain static values, by those. */
  private readonly variants = new Map<string, Signature>();
  /** The last call with certain static values, by those. */
  private readonly patterns = new Map<string, Pattern>();

  constructor(
    private readonly backend: XlaBackend,
    private readonly compiler: Compiler,
    private readonly fn: (...args: never[]) => unknown,
    private readonly options: JitOptions,
  ) {}

  get programs(): number {
    return this.cache.size;
  }

  call(args: readonly unknown[]): unknown {
    // Inside of another trace, or under a gradient tape, the function's kernels must be seen.
    if (this.backend.trace || engine().state.gradientDepth > 0) return this.fn(...(args as never[]));
    const isStatic = this.staticFlags(args.length);
    const names = (index: number) => leafNames(args, isStatic)[index]!;
    const statics = staticKey(args, isStatic);
    const pattern = this.patterns.get(statics);
    const known = pattern && this.match(pattern, args);
    if (known) return pattern.program.run({ ...known, leafName: names });

    const flat = flattenArguments(args, isStatic);
    const { leaves } = flat;
    const records = leaves.map((leaf, i) => {
      if (!(leaf instanceof Tensor)) throw this.notATensor(args, isStatic, i, leaf);
      return this.backend.recordOf(leaf);
    });
    const types = records.map((record) => this.typeOf(record));
    const key = flat.key + types.map(({ id }) => `${id},`).join('');
    const program = this.cache.get(key) ?? this.add(key, args, flat, types, true);
    const { treedefs } = flat;
    this.patterns.set(statics, { treedefs, types, carried: this.donatedKeys(treedefs, types), program });
    return program.run({ leaves: leaves as Tensor[], records, leafName: names });
  }

  /** The leaves of a call that fits the pattern, and their data. */
  private match({ treedefs, types, carried: keys }: Pattern, args: readonly unknown[]) {
    if (args.length !== treedefs.length) return undefined;
    const leaves: unknown[] = [];
    let state: GivenArguments['state'];
    for (let i = 0; i < args.length; i++) {
      const carried = keys[i] === undefined || state ? undefined : carriedIn(args[i]);
      if (carried?.backend === this.backend && carried.part.key === keys[i]) {
        state = { carried, at: leaves.length };
        continue;
      }
      const treedef = treedefs[i];
      if (treedef && !collectLeaves(treedef, args[i] as Tree<unknown>, leaves)) return undefined;
    }
    const place = placeOf(state);
    const records: DataRecord[] = [];
    for (let i = 0; i < leaves.length; i++) {
      const leaf = leaves[i];
      if (!(leaf instanceof Tensor)) return undefined;
      const record = this.backend.recordOf(leaf);
      if (this.typeOf(record) !== types[place(i)]) return undefined;
      records.push(record);
    }
    return { leaves: leaves as Tensor[], records, state };
  }

  /** For each donated argument, what tells whether a program's carried results fit there. */
  private donatedKeys(treedefs: readonly (TreeDef | undefined)[], types: readonly ArrayType[]) {
    const { donate = [] } = this.options;
    let next = 0;
    return treedefs.map((treedef, i) => {
      const own = types.slice(next, (next += treedef?.size ?? 0));
      return treedef && donate.includes(i) ? carriedKey(treedef, own) : undefined;
    });
  }

  compile(args: readonly unknown[]): Compiled {
    const { flat, types } = this.specified(args);
    const key = flat.key + types.map(({ id }) => `${id},`).join('');
    const program = this.cache.get(key) ?? this.add(key, args, flat, types, false);
    return program.describe();
  }

  /** The program's StableHLO. */
  trace(args: readonly unknown[]): string {
    const { flat, types } = this.specified(args);
    const { text, captures } = this.traced(args, flat, types);
    for (const record of captures) this.backend.release(record);
    return text;
  }

  /** Arguments with specs, or tensors, for leaves. */
  private specified(args: readonly unknown[]) {
    const isStatic = this.staticFlags(args.length);
    const flat = flattenArguments(args, isStatic);
    const types = flat.leaves.map((leaf, i) => {
      if (leaf instanceof TensorSpec) return specType(this.backend, leaf);
      if (leaf instanceof Tensor) return this.typeOf(this.backend.recordOf(leaf));
      throw this.notATensor(args, isStatic, i, leaf);
    });
    return { flat, types };
  }

  private typeOf(record: DataRecord): ArrayType {
    const { state } = record;
    return state.kind === 'device' ? state.array.arrayType : this.backend.arrayOf(record).arrayType;
  }

  private staticFlags(count: number): readonly boolean[] {
    const { static: statics = [] } = this.options;
    return Array.from({ length: count }, (_, i) => statics.includes(i));
  }

  private notATensor(
    args: readonly unknown[],
    isStatic: readonly boolean[],
    index: number,
    leaf: unknown,
  ): Error {
    const { name } = this.options;
    return errors.notATensor({ name, leaf: leafNames(args, isStatic)[index]!, found: describeLeaf(leaf) });
  }

  private add(
    key: string,
    args: readonly unknown[],
    flat: FlatArguments,
    types: readonly ArrayType[],
    called: boolean,
  ): Program {
    const { name, variants = 1 } = this.options;
    const isStatic = this.staticFlags(args.length);
    const signature: Signature = {
      structure: flat.treedefs.map((treedef) => treedef?.key),
      statics: args.map((arg, i) => (isStatic[i] ? JSON.stringify(arg) : undefined)),
      names: leafNames(args, isStatic),
      types,
    };
    const variant = JSON.stringify(signature.statics);
    const before = this.variants.get(variant) ?? this.last;
    const isMeant = !this.variants.has(variant) && this.variants.size < variants;
    if (called && before && !isMeant) {
      const reason = explainRetrace(before, signature);
      warn('RetraceWarning', `"${name}" is compiled again (program ${this.cache.size + 1}): ${reason}.`);
    }
    this.last = signature;
    this.variants.set(variant, signature);
    const traced = this.traced(args, flat, types);
    const program = new Program(this.backend, traced, this.compiler.compile(traced.text, name));
    this.cache.set(key, program);
    return program;
  }

  private traced(args: readonly unknown[], flat: FlatArguments, types: readonly ArrayType[]): TracedProgram {
    const { name, donate = [], outShardings } = this.options;
    const names = leafNames(args, this.staticFlags(args.length));
    return traceProgram(this.backend, {
      name,
      fn: this.fn,
      args,
      treedefs: flat.treedefs,
      types,
      donated: flat.owners.map((owner) => donate.includes(owner)),
      donatedKeys: new Set(this.donatedKeys(flat.treedefs, types).filter((key) => key !== undefined)),
      leafName: (index) => names[index]!,
      outShardings,
    });
  }

  dispose(): void {
    for (const program of this.cache.values()) program.dispose();
    this.cache.clear();
    this.patterns.clear();
  }
}

/** The callable that users see. */
export function jittedFrom<Args extends readonly unknown[], Out>(jit: JitFunction): Jitted<Args, Out> {
  const call = (...args: unknown[]) => jit.call(args);
  Object.defineProperty(call, 'programs', { get: () => jit.programs });
  return Object.assign(call, {
    compile: (...args: readonly unknown[]) => jit.compile(args),
    trace: (...args: readonly unknown[]) => jit.trace(args),
  }) as unknown as Jitted<Args, Out>;
}
