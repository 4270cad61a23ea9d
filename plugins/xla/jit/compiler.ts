// From module text to a loaded executable, through the cache on disk.

import { createHash } from 'node:crypto';
import { cpus } from 'node:os';
import { errors } from '../errors';
import type { Devices } from '../mesh';
import type { LoadedExecutable } from '../pjrt';
import type { CompileCache } from './compile-cache';

export interface CompiledModule {
  readonly executable: LoadedExecutable;
  readonly seconds: number;
  /** Whether it came from the cache on disk. */
  readonly cached: boolean;
}

export type XlaFlags = Readonly<Record<string, string | boolean | number>>;

/** `name=value,name=value`, with booleans and numbers as such. */
export function parseFlags(text: string | undefined): XlaFlags {
  const entries = (text ?? '').split(',').filter((entry) => entry.trim() !== '');
  return Object.fromEntries(
    entries.map((entry) => {
      const [name, value] = entry.split('=').map((part) => part.trim());
      if (!name || value === undefined) throw errors.badFlags({ text: text! });
      const number = Number(value);
      const parsed =
        value === 'true'
          ? true
          : value === 'false'
            ? false
            : value !== '' && !Number.isNaN(number)
              ? number
              : value;
      return [name.replace(/^--/, ''), parsed];
    }),
  );
}

/** Where a platform's own defaults aren't what JAX has. */
const platformFlags: Readonly<Record<string, XlaFlags>> = {
  // The maximum of something with a NaN is NaN.
  cpu: { xla_cpu_enable_fast_min_max: false },
};

export class Compiler {
  private readonly flags: XlaFlags;
  private readonly salt: string;

  constructor(
    private readonly devices: Devices,
    private readonly cache?: CompileCache,
  ) {
    const { client, mesh, list } = devices;
    this.flags = { ...platformFlags[client.platformName], ...parseFlags(process.env.BV_XLA_FLAGS) };
    this.salt = JSON.stringify([
      client.platformName,
      client.platformVersion,
      list.map(({ kind }) => kind),
      mesh.axes,
      this.flags,
      // Native code for one processor may not run on another.
      client.platformName === 'cpu' ? cpus()[0]?.model : '',
    ]);
  }

  compile(text: string): CompiledModule {
    const start = performance.now();
    const key = this.cache && createHash('sha256').update(this.salt).update('\0').update(text).digest('hex');
    const load = (bytes: Uint8Array) => this.devices.client.deserializeExecutable(bytes);
    const known = key && this.cache?.load(key, load);
    if (known) return { executable: known, seconds: (performance.now() - start) / 1000, cached: true };
    const { client, mesh } = this.devices;
    const executable = client.compile(text, { partitions: mesh.size, xlaFlags: this.flags });
    if (key) this.cache?.save(key, () => executable.executable.serialize());
    return { executable, seconds: (performance.now() - start) / 1000, cached: false };
  }
}
