// From module text to a loaded executable, through the cache on disk.

import { createHash } from 'node:crypto';
import { cpus } from 'node:os';
import { errors } from '../errors';
import { DeviceMemoryError } from '../../../core/runtime';
import type { Devices } from '../mesh';
import { type Executable, type LoadedExecutable, PjrtError, type Topology } from '../pjrt';
import type { CompileCache } from './compile-cache';

export interface CompiledModule {
  readonly executable: Executable;
  /** What runs; absent where the program was compiled for devices that aren't here. */
  readonly loaded?: LoadedExecutable;
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
  // The maximum of something with a NaN is NaN. The pass that is switched off would drop optimization barriers before
  // equal operations are merged, and so keep in memory what is to be computed again.
  cpu: { xla_cpu_enable_fast_min_max: false, xla_disable_hlo_passes: 'cse_barrier_expander' },
};

/** What programs of a platform are compiled with: `BV_XLA_FLAGS` comes on top. */
export function flagsFor(platformName: string): XlaFlags {
  return { ...platformFlags[platformName], ...parseFlags(process.env.BV_XLA_FLAGS) };
}

export interface Compiler {
  /**
   * @param name of the program, for errors.
   * @throws DeviceMemoryError; PjrtError with the compiler's diagnostics.
   */
  compile(text: string, name: string): CompiledModule;
}

/** Compiles for the devices of a client, through the cache on disk. */
export class ClientCompiler implements Compiler {
  private readonly flags: XlaFlags;
  private readonly salt: string;

  constructor(
    private readonly devices: Devices,
    private readonly cache?: CompileCache,
  ) {
    const { client, mesh, list } = devices;
    this.flags = flagsFor(client.platformName);
    this.salt = JSON.stringify([
      client.platformName,
      client.platformVersion,
      list.map(({ kind }) => kind),
      mesh.axes,
      devices.places,
      this.flags,
      // Native code for one processor may not run on another.
      client.platformName === 'cpu' ? cpus()[0]?.model : '',
    ]);
  }

  compile(text: string, name: string): CompiledModule {
    const start = performance.now();
    const key = this.cache && createHash('sha256').update(this.salt).update('\0').update(text).digest('hex');
    const load = (bytes: Uint8Array) => this.devices.client.deserializeExecutable(bytes);
    const known = key && this.cache?.load(key, load);
    if (known) return compiled(known.executable, start, known, true);
    const { client, spread } = this.devices;
    const loaded = fitting(name, () => client.compile(text, { ...spread, xlaFlags: this.flags }));
    if (key) this.cache?.save(key, () => loaded.executable.serialize());
    return compiled(loaded.executable, start, loaded);
  }
}

/** Compiles for devices that needn't be here. */
export class TopologyCompiler implements Compiler {
  private readonly flags = parseFlags(process.env.BV_XLA_FLAGS);

  constructor(private readonly topology: Topology) {}

  compile(text: string, name: string): CompiledModule {
    const start = performance.now();
    const partitions = this.topology.devices.length;
    const executable = fitting(name, () => this.topology.compile(text, { partitions, xlaFlags: this.flags }));
    return compiled(executable, start);
  }
}

function compiled(
  executable: Executable,
  start: number,
  loaded?: LoadedExecutable,
  cached = false,
): CompiledModule {
  return { executable, loaded, seconds: (performance.now() - start) / 1000, cached };
}

/** Says that a program is too large in words that a user can act on. */
function fitting<T>(name: string, compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    if (!(error instanceof PjrtError) || error.code !== 'RESOURCE_EXHAUSTED') throw error;
    const { message } = error;
    // The TPU's compiler: "Used 20.50G of 15.75G hbm." and, before it has laid out memory, "the total memory required for HLO
    // temporaries (17.67G) exceeds available HBM (15.75G)".
    const size = String.raw`([\d.]+[KMGT]?)`;
    const [, used, of] =
      new RegExp(`Used ${size} of ${size} hbm`).exec(message) ??
      new RegExp(`\\(${size}\\) exceeds available HBM \\(${size}\\)`).exec(message) ??
      [];
    throw new DeviceMemoryError(name, sizeInBytes(used), sizeInBytes(of), message);
  }
}

function sizeInBytes(text: string | undefined): number | undefined {
  return text === undefined ? undefined : parseFloat(text) * 1024 ** (1 + 'KMGT'.indexOf(text.slice(-1)));
}
