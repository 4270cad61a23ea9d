// Two kinds of errors: what PJRT reports (PjrtError, with its own message), and what a user can put right
// (catalogue `runtime`).

import { catalogue } from '../../../core/errors';

const codes = [
  'OK',
  'CANCELLED',
  'UNKNOWN',
  'INVALID_ARGUMENT',
  'DEADLINE_EXCEEDED',
  'NOT_FOUND',
  'ALREADY_EXISTS',
  'PERMISSION_DENIED',
  'RESOURCE_EXHAUSTED',
  'FAILED_PRECONDITION',
  'ABORTED',
  'OUT_OF_RANGE',
  'UNIMPLEMENTED',
  'INTERNAL',
  'UNAVAILABLE',
  'DATA_LOSS',
  'UNAUTHENTICATED',
] as const;

export type PjrtErrorCode = (typeof codes)[number];

export const codeName = (code: number): PjrtErrorCode => codes[code] ?? 'UNKNOWN';

/** What a PJRT function or an asynchronous operation reported. */
export class PjrtError extends Error {
  override readonly name = 'PjrtError';

  constructor(
    readonly code: PjrtErrorCode,
    /** PJRT's own words. */
    readonly reason: string,
    /** The C function that failed, or whose event did. */
    readonly where: string,
  ) {
    super(`${where}: ${code}: ${reason}`);
  }
}

export const errors = catalogue('runtime', {
  pluginNotLoadable: ({ path, reason }: { path: string; reason: string }) => ({
    what: `${path} can't be loaded as a PJRT plugin: ${reason}`,
    fix: 'install a plugin with `bv runtime install cpu`, or set BV_PJRT_PLUGIN to the path of one',
  }),
  pluginTooOld: ({ path, found, needed }: { path: string; found: string; needed: string }) => ({
    what: `${path} speaks version ${found} of the PJRT C API, and at least ${needed} of the same major version is needed`,
    fix: 'install a tested plugin with `bv runtime install cpu` (or cuda13, cuda12, tpu)',
  }),
});
