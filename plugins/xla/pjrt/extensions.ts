// What a plugin has beside the table of functions: a linked list that starts in its `struct PJRT_Api`.

import koffi from 'koffi';
import { NULL } from './memory';

/** The types of `PJRT_Extension_Type` that this project knows of, by number. */
export const extensionTypes = {
  GpuCustomCall: 0,
  Profiler: 1,
  CustomPartitioner: 2,
  Stream: 3,
  Layouts: 4,
  FFI: 5,
  MemoryDescriptions: 6,
  Triton: 7,
  RawBuffer: 8,
  PhaseCompile: 9,
} as const;

/** Addresses of a plugin's extensions, by type. Each begins: size_t struct_size, int type, pointer next. */
export function extensionsAt(first: bigint): ReadonlyMap<number, bigint> {
  const found = new Map<number, bigint>();
  for (let at = first; at !== NULL;) {
    const view = new DataView(koffi.view(at, 24));
    found.set(view.getInt32(8, true), at);
    at = view.getBigUint64(16, true);
  }
  return found;
}

/** A type as people know it. */
export const extensionName = (type: number): string =>
  Object.entries(extensionTypes).find(([, known]) => known === type)?.[0] ?? `type ${type}`;
