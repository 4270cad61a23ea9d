// The runtime that portable code sees.

import { enableProdMode, type Tensor } from '@tensorflow/tfjs-core';
import { HostArray } from '../../core/array';
import {
  type DeviceMemory,
  type Jitted,
  type JitOptions,
  type PartitionSpec,
  type Runtime,
  type RuntimeOptions,
  TensorSpec,
} from '../../core/runtime';
import type { Tree } from '../../core/tree';
import { XlaBackend } from './backend';
import { arrayDType, elementTypeOfArray } from './element-types';
import { errors } from './errors';
import { ensureInstalled, type PluginName } from './install';
import { CompileCache, Compiler, JitFunction, jittedFrom, traceShapes } from './jit';
import { DeviceMesh, Devices } from './mesh';
import { Client } from './pjrt';
import { choosePlatform } from './platform';
import { activate, deactivate } from './register';

/** What the XLA runtime can be told beside what every runtime can. */
export interface XlaOptions extends RuntimeOptions {
  /** Virtual devices of the CPU platform; the environment's BV_CPU_DEVICES otherwise, or 1. */
  readonly devices?: number;
  /** `auto` by default. */
  readonly platform?: PluginName | 'auto';
}

export class XlaRuntime implements Runtime {
  readonly name = 'xla';
  readonly compiles = true;
  readonly platform: string;
  private readonly functions: WeakRef<JitFunction>[] = [];
  private readonly compiler: Compiler;

  private constructor(
    private readonly client: Client,
    private readonly backend: XlaBackend,
    cacheFolder: string | undefined,
  ) {
    this.platform = client.platformName;
    this.compiler = new Compiler(backend.devices, cacheFolder ? new CompileCache(cacheFolder) : undefined);
  }

  static async create(options: XlaOptions = {}): Promise<XlaRuntime> {
    // XLA's notices of what it is doing aren't for users; its warnings are.
    process.env.TF_CPP_MIN_LOG_LEVEL ??= '1';
    const platform = choosePlatform(options.platform ?? 'auto');
    const plugin = await ensureInstalled(platform);
    const cpuDeviceCount = options.devices ?? Number(process.env.BV_CPU_DEVICES || 1);
    const client = Client.create(plugin, platform === 'cpu' ? { cpuDeviceCount } : {});
    const list = client.addressableDevices;
    const devices = new Devices(client, DeviceMesh.fit(options.mesh, list.length), list);
    // tfjs checks shapes and NaNs of each op in its other mode.
    enableProdMode();
    const backend = new XlaBackend(devices);
    await activate(backend);
    return new XlaRuntime(client, backend, options.compileCache);
  }

  get mesh(): DeviceMesh {
    return this.backend.devices.mesh;
  }

  get process(): { readonly index: number; readonly count: number } {
    return { index: this.client.processIndex, count: 1 };
  }

  get description(): string {
    const { size } = this.mesh;
    return `XLA on ${size} ${this.platform} device${size === 1 ? '' : 's'}`;
  }

  jit<Args extends readonly unknown[], Out>(
    fn: (...args: Args) => Out,
    options: JitOptions,
  ): Jitted<Args, Out> {
    const jit = new JitFunction(
      this.backend,
      this.compiler,
      fn as unknown as (...args: never[]) => unknown,
      options,
    );
    this.functions.push(new WeakRef(jit));
    return jittedFrom<Args, Out>(jit);
  }

  evalShape(fn: (...args: never[]) => unknown, ...args: readonly unknown[]): Tree<TensorSpec> {
    return traceShapes(this.backend, fn, args);
  }

  toDevice(array: HostArray, spec: PartitionSpec = []): Tensor {
    const { devices } = this.backend;
    const sharding = devices.mesh.sharding(spec);
    return this.backend.arrayTensor(
      devices.upload(array.data, elementTypeOfArray(array.dtype), array.shape, sharding),
    );
  }

  async toHost(tensor: Tensor): Promise<HostArray> {
    const record = this.backend.recordOf(tensor);
    const { state, shape, type } = record;
    if (state.kind === 'traced') {
      throw errors.readInTrace({ name: state.trace.name, what: state.made, shape });
    }
    const dtype = arrayDType(type);
    const values =
      state.kind === 'host'
        ? state.values.slice()
        : await this.backend.devices.download(this.backend.arrayOf(record));
    return new HostArray(dtype, [...shape], values as HostArray['data']);
  }

  specOf(tensor: Tensor): TensorSpec {
    const { state, shape, type } = this.backend.recordOf(tensor);
    const sharding = state.kind === 'device' ? this.mesh.specOf(state.array.arrayType.sharding) : [];
    return new TensorSpec(arrayDType(type), shape, sharding);
  }

  idle(): Promise<void> {
    return this.backend.idle();
  }

  memory(): readonly DeviceMemory[] {
    return this.backend.devices.list.map((device) => {
      const name = device.description.name;
      try {
        const { bytesInUse, peakBytesInUse, bytesLimit } = device.memoryStats();
        return { device: name, inUse: bytesInUse, peak: peakBytesInUse, limit: bytesLimit };
      } catch {
        return { device: name };
      }
    });
  }

  /** Native objects that are alive (buffers, programs): for tests and benchmarks that look for leaks. */
  get liveObjects(): number {
    return this.client.liveObjects;
  }

  async dispose(): Promise<void> {
    await this.idle();
    for (const ref of this.functions) ref.deref()?.dispose();
    deactivate(this.backend);
    this.client.dispose();
  }
}
