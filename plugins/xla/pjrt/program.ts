// PJRT_Program: what is compiled.

import { addressOf, Struct } from './memory';

/** StableHLO as text or MLIR bytecode. */
export type Source = string | Uint8Array;

export interface EncodedProgram {
  readonly address: bigint;
  /** Keep while native code uses `address`. */
  readonly kept: readonly unknown[];
}

const format = Buffer.from('mlir');

export function encodeProgram(source: Source): EncodedProgram {
  const code = typeof source === 'string' ? Buffer.from(source, 'utf8') : source;
  const program = new Struct('PJRT_Program').setAll({
    code: addressOf(code),
    code_size: code.byteLength,
    format: addressOf(format),
    format_size: format.length,
  });
  return { address: program.address, kept: [program, code] };
}
