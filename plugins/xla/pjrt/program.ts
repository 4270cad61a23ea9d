// PJRT_Program: what is compiled.

import { Struct } from './memory';

/** StableHLO as text or MLIR bytecode. */
export type Source = string | Uint8Array;

const format = Buffer.from('mlir');

export function encodeProgram(source: Source): Struct<'PJRT_Program'> {
  const code = typeof source === 'string' ? Buffer.from(source, 'utf8') : source;
  return new Struct('PJRT_Program').set({
    code,
    code_size: code.byteLength,
    format,
    format_size: format.length,
  });
}
