// Examples as arrays of one shape, and batches of them.

import {
  allocate,
  type ArraySpec,
  bytesPerElement,
  describeSpec,
  fromBytes,
  HostArray,
  hostArray,
  sizeOf,
} from '../../core/array';
import type { Example, Feature } from '../../core/extensions';
import type { HostBatch } from '../../core/train/run';
import { errors } from './errors';

/** The arrays of one example, and so of all. */
export type ExampleSpec = { readonly [name: string]: ArraySpec };
export type ExampleArrays = { [name: string]: HostArray };

/** Nested features get slash-joined names; numbers become scalars. */
export function arraysOf(example: Example, pp: string): ExampleArrays {
  const found: ExampleArrays = {};
  const unfit: [key: string, value: Feature][] = [];
  const visit = (name: string, value: Feature): void => {
    if (value instanceof HostArray) found[name] = value as HostArray;
    else if (typeof value === 'number') {
      found[name] = hostArray(Number.isInteger(value) ? 'int32' : 'float32', [], [value]);
    } else if (typeof value === 'string' || value instanceof Uint8Array) unfit.push([name, value]);
    else for (const [key, inner] of Object.entries(value)) visit(`${name}/${key}`, inner as Feature);
  };
  for (const name in example) visit(name, example[name] as Feature);
  const [wrong] = unfit;
  if (wrong) {
    const [key, value] = wrong;
    const text =
      typeof value === 'string' ? `the text ${JSON.stringify(value.slice(0, 40))}` : 'bytes of a file';
    throw errors.notAnArray({ key, found: text, pp: describePp(pp), arrays: Object.keys(found) });
  }
  return found;
}

function describePp(pp: string): string {
  return pp === '' ? 'none' : pp.length <= 100 ? pp : `${pp.slice(0, 100)}…`;
}

export function specOf(arrays: ExampleArrays, pp: string): ExampleSpec {
  const names = Object.keys(arrays).sort();
  if (names.length === 0) throw errors.noFeatures({ pp: describePp(pp) });
  return Object.fromEntries(
    names.map((name) => [name, { dtype: arrays[name]!.dtype, shape: [...arrays[name]!.shape] }]),
  );
}

/** What the first example was, for what is said of another that differs. */
export interface First {
  readonly spec: ExampleSpec;
  readonly index: number;
}

/** Copies an example into its place in a batch. */
export function writeExample(
  arrays: ExampleArrays,
  batch: HostBatch,
  slot: number,
  first: First,
  /** The example's index, for errors. */
  indexOf: () => number,
): void {
  let written = 0;
  for (const name in first.spec) {
    const expected = first.spec[name] as ArraySpec;
    const array = arrays[name];
    if (!array) break;
    if (array.dtype !== expected.dtype || !equalShapes(array.shape, expected.shape)) {
      const [found, wanted] = [describeSpec(array), describeSpec(expected)];
      throw errors.shape({ key: name, index: indexOf(), found, first: first.index, expected: wanted });
    }
    (batch[name] as HostArray).data.set(array.data, slot * array.data.length);
    written++;
  }
  if (written !== Object.keys(arrays).length || written !== Object.keys(first.spec).length) {
    const expected = Object.keys(first.spec);
    throw errors.keys({ index: indexOf(), found: Object.keys(arrays).sort(), first: first.index, expected });
  }
}

function equalShapes(a: readonly number[], b: readonly number[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Clears the examples from `slot` on. */
export function clearFrom(batch: HostBatch, slot: number): void {
  for (const { data, shape } of Object.values(batch)) data.fill(0, slot * sizeOf(shape.slice(1)));
}

/** Memory for batches; what is given back is used again, which saves the first touch of new pages. */
export class BatchMemory {
  private readonly free: HostBatch[] = [];
  private readonly given = new WeakMap<HostBatch, ArrayBuffer | undefined>();

  constructor(
    private readonly spec: ExampleSpec,
    private readonly size: number,
    /** In memory that threads share. */
    private readonly shared: boolean,
  ) {}

  take(): HostBatch {
    const batch = this.free.pop() ?? this.make();
    this.given.set(batch, this.shared ? this.ballast() : undefined);
    return batch;
  }

  giveBack(batch: HostBatch): void {
    if (this.given.delete(batch)) this.free.push(batch);
  }

  /** Forgets what was given back. */
  clear(): void {
    this.free.length = 0;
  }

  private make(): HostBatch {
    const make = ({ dtype, shape }: ArraySpec): HostArray => {
      const full = [this.size, ...shape];
      if (!this.shared) return allocate(dtype, full);
      const bytes = new SharedArrayBuffer(sizeOf(full) * bytesPerElement(dtype));
      return fromBytes(dtype, full, new Uint8Array(bytes));
    };
    return Object.fromEntries(Object.entries(this.spec).map(([name, spec]) => [name, make(spec)]));
  }

  /**
   * V8 doesn't count shared memory, so batches that are never given back would pile up without a collection. An
   * untouched buffer of the same size, which costs no memory, is counted in its place.
   */
  private ballast(): ArrayBuffer {
    const sizes = Object.values(this.spec).map(({ dtype, shape }) => sizeOf(shape) * bytesPerElement(dtype));
    return new ArrayBuffer(this.size * sizes.reduce((sum, bytes) => sum + bytes, 0));
  }
}
