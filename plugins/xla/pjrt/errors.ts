// Two kinds of errors: what PJRT reports (PjrtError, with its own message), and what a user can put right
// (catalogue `runtime`).

import { catalogue, ExitCode } from '../../../core/errors';

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
  pluginOverrideMissing: ({ path }: { path: string }) => ({
    what: `BV_PJRT_PLUGIN is ${path}, which doesn't exist`,
    fix: 'set BV_PJRT_PLUGIN to the shared library of a PJRT plugin, or unset it',
  }),
  notInstalled: ({ name }: { name: string }) => ({
    what: `The PJRT plugin "${name}" isn't installed, and BV_NO_INSTALL forbids to fetch it`,
    fix: `\`bv runtime install ${name}\``,
  }),
  noPip: () => ({
    what: 'Installing a PJRT plugin takes pip, and neither `python3 -m pip` nor `python -m pip` works',
    fix: 'install pip (`apt install python3-pip`), or set BV_PJRT_PLUGIN to the shared library of a PJRT plugin',
  }),
  noWheel: ({ name, project, platform }: { name: string; project: string; platform: string }) => ({
    what: `The plugin ${name} can't be installed on ${platform}: there is no wheel of ${project} for it`,
    fix: 'use Linux with glibc on x86-64 or arm64 (tpu: x86-64), or another runtime, such as wasm',
  }),
  wheelHashMismatch: ({ name, project }: { name: string; project: string }) => ({
    what: `The wheel of ${project} that pip fetched isn't the pinned one: its sha256 differs`,
    fix: `empty pip's cache (\`python3 -m pip cache purge\`) and run \`bv runtime install ${name}\` again; if it persists, don't use that package index`,
  }),
  noNetwork: ({ name, project }: { name: string; project: string }) => ({
    what: `pip can't reach a package index to fetch ${project}`,
    fix: `check the network and pip's settings (\`python3 -m pip config list\`), then run \`bv runtime install ${name}\``,
  }),
  pipFailed: ({ name, project, reason }: { name: string; project: string; reason: string }) => ({
    what: `pip can't fetch ${project}: ${reason}`,
    fix: `put right what pip says, then run \`bv runtime install ${name}\``,
  }),
  cacheNotWritable: ({ folder, reason }: { folder: string; reason: string }) => ({
    what: `Plugins are installed in ${folder}, which can't be written: ${reason}`,
    fix: 'make that folder writable, or set BV_PJRT_PLUGIN to the shared library of a PJRT plugin',
    exitCode: ExitCode.storage,
  }),
});
