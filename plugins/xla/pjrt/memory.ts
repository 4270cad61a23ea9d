// Memory shared with native code. What we give to XLA is the backing store of an ArrayBuffer: it never moves,
// and lives as long as the ArrayBuffer is reachable. A bare address keeps nothing alive, so pointer fields take
// the memory itself, and a struct holds on to what its fields point to.

import koffi from 'koffi';
import { layoutOf, type Kind, type Layout } from './layout';
import { structs, type Scalars, type StructName } from './structs';

/** A null pointer. */
export const NULL = 0n;

/** What has an address and keeps alive what is there. */
export interface Memory {
  readonly address: bigint;
}

/** Native memory by its address, or ours. */
export type Pointer = bigint | ArrayBufferView | Memory;

export type Value<K extends Kind> = K extends 'pointer' ? bigint : K extends 'bool' ? boolean : number;
type Input<K extends Kind> = K extends 'pointer' ? Pointer : Value<K>;

/** Values for some fields of a struct. */
export type Inputs<N extends StructName> = { readonly [F in keyof Scalars<N>]?: Input<Scalars<N>[F] & Kind> };

export function addressOf(pointer: Pointer): bigint {
  if (typeof pointer === 'bigint') return pointer;
  if ('address' in pointer) return pointer.address;
  // Asking for the address moves a small typed array off the JavaScript heap, on which it could move.
  return pointer.byteLength === 0 ? NULL : koffi.address(pointer);
}

/** A view of native memory, valid as long as that memory is; copy what has to live longer. */
export function viewOf(address: bigint, bytes: number): Uint8Array {
  return bytes === 0 ? new Uint8Array(0) : new Uint8Array(koffi.view(address, bytes));
}

export const textAt = (address: bigint, bytes: number) =>
  Buffer.from(viewOf(address, bytes)).toString('utf8');

/** Copies an array of pointers, `size_t` or `int64_t` out of native memory. */
export const wordsAt = (address: bigint, count: number) =>
  count === 0 ? new BigUint64Array(0) : new BigUint64Array(koffi.view(address, 8 * count)).slice();

/** Copies an array of `int` or enums out of native memory. */
export const intsAt = (address: bigint, count: number) =>
  count === 0 ? new Int32Array(0) : new Int32Array(koffi.view(address, 4 * count)).slice();

const layouts = new Map<StructName, Layout>();

export function layoutOfStruct(name: StructName): Layout {
  let layout = layouts.get(name);
  if (!layout) layouts.set(name, (layout = layoutOf(structs[name])));
  return layout;
}

const little = true;

/** One C struct: ours (zeroed, with its size filled in), or a view of native memory. */
export class Struct<N extends StructName> implements Memory {
  readonly address: bigint;
  readonly layout: Layout;
  private readonly view: DataView;
  /** What the pointer fields point to. */
  private readonly pointees = new Map<string, unknown>();

  constructor(name: N, memory?: { buffer: ArrayBuffer; byteOffset: number }) {
    this.layout = layoutOfStruct(name);
    const { buffer, byteOffset } = memory ?? { buffer: new ArrayBuffer(this.layout.stride), byteOffset: 0 };
    this.view = new DataView(buffer, byteOffset, this.layout.stride);
    this.address = koffi.address(buffer) + BigInt(byteOffset);
    if (!memory) this.clear();
  }

  /** Zeroes every field but `struct_size`. */
  clear(): this {
    const { buffer, byteOffset, byteLength } = this.view;
    new Uint8Array(buffer, byteOffset, byteLength).fill(0);
    this.view.setBigUint64(0, BigInt(this.layout.structSize), little);
    return this.letGo();
  }

  /** No longer keeps alive what the fields point to. */
  letGo(): this {
    if (this.pointees.size > 0) this.pointees.clear();
    return this;
  }

  get<F extends keyof Scalars<N> & string>(field: F): Value<Scalars<N>[F] & Kind> {
    return this.read(field) as Value<Scalars<N>[F] & Kind>;
  }

  set(values: Inputs<N>): this {
    for (const field in values) this.write(field, values[field] as Pointer | number | boolean);
    return this;
  }

  /** Writes bare addresses to one field, which keeps nothing alive: for the hot path. */
  pointerField(field: keyof Scalars<N> & string): { set(address: bigint): void } {
    const { offset } = this.layout.places[field]!;
    const { view } = this;
    return { set: (address) => view.setBigUint64(offset, address, little) };
  }

  /** Copies `source` into the embedded struct `field`. */
  embed(field: string, source: Struct<StructName>): this {
    const { offset } = this.layout.places[field]!;
    const { view } = source;
    const target = new Uint8Array(this.view.buffer, this.view.byteOffset + offset, view.byteLength);
    target.set(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
    this.pointees.set(field, source);
    return this;
  }

  private read(field: string): bigint | number | boolean {
    const { offset, kind } = this.layout.places[field]!;
    switch (kind) {
      case 'pointer':
        return this.view.getBigUint64(offset, little);
      case 'size':
      case 'int64':
        return Number(this.view.getBigInt64(offset, little));
      case 'int32':
        return this.view.getInt32(offset, little);
      case 'float':
        return this.view.getFloat32(offset, little);
      case 'bool':
        return this.view.getUint8(offset) !== 0;
      case undefined:
        throw new TypeError(`${field} is a struct`);
    }
  }

  private write(field: string, value: Pointer | number | boolean): void {
    const { offset, kind } = this.layout.places[field]!;
    switch (kind) {
      case 'pointer':
        if (typeof value === 'object') this.pointees.set(field, value);
        return this.view.setBigUint64(offset, addressOf(value as Pointer), little);
      case 'size':
      case 'int64':
        return this.view.setBigInt64(offset, BigInt(value as number), little);
      case 'int32':
        return this.view.setInt32(offset, value as number, little);
      case 'float':
        return this.view.setFloat32(offset, value as number, little);
      case 'bool':
        return this.view.setUint8(offset, value ? 1 : 0);
      case undefined:
        throw new TypeError(`${field} is a struct`);
    }
  }
}

/** The structs of an array in native memory. */
export function structsAt<N extends StructName>(name: N, address: bigint, count: number): Struct<N>[] {
  if (count === 0) return [];
  const { stride } = layoutOfStruct(name);
  const buffer = koffi.view(address, stride * count);
  return Array.from(
    { length: count },
    (_, index) => new Struct(name, { buffer, byteOffset: index * stride }),
  );
}

/** An array of structs for native code to read. */
export function arrayOf<N extends StructName>(name: N, values: readonly Inputs<N>[]): Memory {
  const { stride } = layoutOfStruct(name);
  const buffer = new ArrayBuffer(Math.max(1, values.length) * stride);
  const structs = values.map((value, index) =>
    new Struct(name, { buffer, byteOffset: index * stride }).clear().set(value),
  );
  return { address: koffi.address(buffer), kept: [buffer, structs] } as Memory;
}
