// What we read of a compiled program: HloModuleProto (xla/service/hlo.proto), as far as it tells which operations there
// are, of which shapes, and how often they run.

import { fieldsOf, integersOf, type WireValue } from './wire';

export interface HloInstruction {
  readonly id: number;
  /** `all-reduce`, `fusion`, `while`, ... */
  readonly opcode: string;
  readonly shape: HloShape;
  readonly operands: readonly number[];
  /** Computations that it runs: for `while` the body, then the condition. */
  readonly calls: readonly number[];
  /** Devices that take part together; undefined where it isn't said or says nothing. */
  readonly groupSize?: number;
  /** The iterations of a `while`, where the compiler has written them down. */
  readonly tripCount?: number;
  /** The value of a scalar integer constant. */
  readonly constant?: number;
}

/** An array with its bytes, or a tuple. */
export interface HloShape {
  readonly bytes: number;
  readonly tuple?: readonly HloShape[];
}

export interface HloComputation {
  readonly id: number;
  readonly instructions: readonly HloInstruction[];
}

export interface HloModule {
  readonly entry: number;
  readonly computations: ReadonlyMap<number, HloComputation>;
}

/** Bits of an element, by the numbers of PrimitiveType (xla/xla_data.proto). */
const bits: Readonly<Record<number, number>> = {
  ...{ 1: 8, 2: 8, 3: 16, 4: 32, 5: 64, 6: 8, 7: 16, 8: 32, 9: 64, 10: 16, 11: 32, 12: 64, 15: 64, 16: 16 },
  ...{ 18: 128, 19: 8, 20: 8, 21: 4, 22: 4, 23: 8, 24: 8, 25: 8, 26: 2, 27: 2, 28: 8, 29: 8, 30: 1, 31: 1 },
};

/**
 * @param format of PJRT_Program: `hlo` is the module's own message, `hlo_with_config` has it as its first field.
 * @returns undefined for another format, and for what isn't such a message.
 */
export function readHlo(format: string, code: Uint8Array): HloModule | undefined {
  try {
    if (format === 'hlo') return readModule(code);
    if (format !== 'hlo_with_config') return undefined;
    for (const [field, value] of fieldsOf(code)) if (field === 1) return readModule(value as Uint8Array);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return undefined;
}

function readModule(message: Uint8Array): HloModule {
  const computations = new Map<number, HloComputation>();
  let entry = 0;
  for (const [field, value] of fieldsOf(message)) {
    if (field === 3) {
      const computation = readComputation(value as Uint8Array);
      computations.set(computation.id, computation);
    }
    if (field === 6) entry = Number(value);
  }
  return { entry, computations };
}

function readComputation(message: Uint8Array): HloComputation {
  const instructions: HloInstruction[] = [];
  let id = 0;
  for (const [field, value] of fieldsOf(message)) {
    if (field === 2) instructions.push(readInstruction(value as Uint8Array));
    if (field === 5) id = Number(value);
  }
  return { id, instructions };
}

function readInstruction(message: Uint8Array): HloInstruction {
  const found = {
    id: 0,
    opcode: '',
    shape: { bytes: 0 } as HloShape,
    operands: [] as number[],
    calls: [] as number[],
  };
  let groupSize: number | undefined;
  let tripCount: number | undefined;
  let constant: number | undefined;
  for (const [field, value] of fieldsOf(message)) {
    switch (field) {
      case 2:
        found.opcode = text(value);
        break;
      case 3:
        found.shape = readShape(value as Uint8Array);
        break;
      case 8:
        constant = readConstant(value as Uint8Array);
        break;
      case 35:
        found.id = Number(value);
        break;
      case 36:
        found.operands.push(...integersOf(value));
        break;
      case 38:
        found.calls.push(...integersOf(value));
        break;
      case 43:
        tripCount = readTripCount(text(value));
        break;
      case 49:
        groupSize ??= sizeOfGroup(value as Uint8Array);
        break;
      case 87:
        groupSize ??= sizeOfDeviceList(value as Uint8Array);
        break;
      case 93:
        groupSize ??= sizeOfMeshAxes(value as Uint8Array);
    }
  }
  return { ...found, groupSize, tripCount, constant };
}

function readShape(message: Uint8Array): HloShape {
  let type = 0;
  const dims: number[] = [];
  const tuple: HloShape[] = [];
  for (const [field, value] of fieldsOf(message)) {
    if (field === 2) type = Number(value);
    if (field === 3) dims.push(...integersOf(value));
    if (field === 4) tuple.push(readShape(value as Uint8Array));
  }
  if (tuple.length > 0) return { tuple, bytes: tuple.reduce((sum, { bytes }) => sum + bytes, 0) };
  return { bytes: Math.ceil((dims.reduce((product, dim) => product * dim, 1) * (bits[type] ?? 0)) / 8) };
}

/** LiteralProto: the 32- or 64-bit integers in it, if it has just one. */
function readConstant(message: Uint8Array): number | undefined {
  for (const [field, value] of fieldsOf(message)) {
    if (field !== 4 && field !== 5) continue;
    const values = integersOf(value);
    return values.length === 1 ? values[0] : undefined;
  }
  return undefined;
}

function readTripCount(config: string): number | undefined {
  const found = /"known_trip_count":\{"n":"(\d+)"/.exec(config);
  return found ? Number(found[1]) : undefined;
}

/** ReplicaGroup: its ids. */
function sizeOfGroup(message: Uint8Array): number {
  let size = 0;
  for (const [field, value] of fieldsOf(message)) if (field === 1) size += integersOf(value).length;
  return size;
}

/** CollectiveDeviceListProto: groups one by one, or as a reshaped and transposed iota. */
function sizeOfDeviceList(message: Uint8Array): number | undefined {
  for (const [field, value] of fieldsOf(message)) {
    if (field === 1) return sizeOfGroup(value as Uint8Array);
    if (field !== 2) continue;
    for (const [inner, size] of fieldsOf(value as Uint8Array)) if (inner === 2) return Number(size);
  }
  return undefined;
}

/** Groups along axes of a mesh, as the newest compilers write them; undefined for parts of an axis. */
function sizeOfMeshAxes(message: Uint8Array): number | undefined {
  const sizes: number[] = [];
  let devices = 1;
  for (const [field, value] of fieldsOf(message)) {
    const parts = [...fieldsOf(value as Uint8Array)];
    if (field === 1) {
      for (const [inner, axis] of parts) {
        if (inner !== 1) continue;
        for (const [key, size] of fieldsOf(axis as Uint8Array)) if (key === 2) sizes.push(Number(size));
      }
    }
    if (field === 2) {
      if (parts.some(([inner]) => inner !== 1)) return undefined;
      devices *= sizes[Number(parts[0]?.[1] ?? 0)] ?? NaN;
    }
  }
  return Number.isNaN(devices) || sizes.length === 0 ? undefined : devices;
}

const decoder = new TextDecoder();
const text = (value: WireValue) => (typeof value === 'bigint' ? '' : decoder.decode(value));
