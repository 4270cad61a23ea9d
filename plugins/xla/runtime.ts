// The runtime that portable code sees.

import { clone, enableProdMode, type Tensor } from '@tensorflow/tfjs-core';
import { HostArray } from '../../core/array';
import { type ArrayBlock, type Extent, type Rows, wholeOf } from '../../core/blocks';
import { alone, type Processes } from '../../core/processes/group';
import {
  type DeviceMemory,
  type DeviceTrace,
  type Jitted,
  type JitOptions,
  type PartitionSpec,
  type Runtime,
  type RuntimeOptions,
  TensorSpec,
} from '../../core/runtime';
import type { Tree } from '../../core/tree';
import { tensorValues, XlaBackend } from './backend';
import { arrayDType, elementTypeOfArray } from './element-types';
import { errors } from './errors';
import { ensureInstalled, installed, type PluginName } from './install';
import {
  ClientCompiler,
  CompileCache,
  type Compiler,
  JitFunction,
  jittedFrom,
  TopologyCompiler,
  traceShapes,
} from './jit';
import { together } from './key-value';
import { type ArrayType, DeviceMesh, Devices, distinct, heldAt, rowsAt } from './mesh';
import { Client, PjrtError, Topology } from './pjrt';
import { choosePlatform } from './platform';
import { activate, deactivate } from './register';
import { findTopology, topologyErrors } from './topologies';

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
  readonly deviceKind: string;
  private readonly functions: WeakRef<JitFunction>[] = [];
  private readonly gathers = new Map<ArrayType, Jitted<[Tensor], Tensor>>();

  private constructor(
    /** The devices that are here, or a description of some that needn't be. */
    private readonly source: Client | Topology,
    private readonly backend: XlaBackend,
    private readonly compiler: Compiler,
    private readonly processes: Processes = alone,
  ) {
    const [device] = source.devices;
    this.platform = source.platformName;
    this.deviceKind =
      (device && ('description' in device ? device.description : device).kind) ?? this.platform;
  }

  static async create(options: XlaOptions = {}): Promise<XlaRuntime> {
    // XLA's notices of what it is doing aren't for users; its warnings are.
    process.env.TF_CPP_MIN_LOG_LEVEL ??= '1';
    const { topology } = options;
    if (topology !== undefined && topology !== 'cpu') return XlaRuntime.absent(topology, options);
    const platform = topology ?? choosePlatform(options.platform ?? 'auto');
    const plugin = await ensureInstalled(platform);
    const cpuDeviceCount = options.devices ?? Number(process.env.BV_CPU_DEVICES || 1);
    const { processes = alone } = options;
    const client = Client.create(plugin, {
      ...(platform === 'cpu' && { cpuDeviceCount }),
      ...(platform.startsWith('cuda') && processes.count > 1 && (await together(processes))),
    });
    const { devices: all } = client;
    const found = new Set(all.map(({ processIndex }) => processIndex)).size;
    if (found !== processes.count) {
      throw errors.processes({ platform: client.platformName, given: processes.count, found });
    }
    const places = [...all.keys()].filter((place) => all[place]!.isAddressable);
    const devices = new Devices(
      client,
      DeviceMesh.fit(options.mesh, all.length, options.rules),
      places.map((place) => all[place]!),
      places,
    );
    const { compileCache: folder } = options;
    const compiler = new ClientCompiler(devices, folder ? new CompileCache(folder) : undefined);
    return new XlaRuntime(client, await activeBackend(devices), compiler, processes);
  }

  /** A runtime for hardware that needn't be here: it traces and compiles, and doesn't run. */
  private static async absent(name: string, { mesh, rules }: XlaOptions): Promise<XlaRuntime> {
    const target = findTopology(name);
    const plugin = installed(target.plugin);
    if (plugin === undefined) throw errors.notInstalled({ platform: target.plugin });
    if (target.plugin === 'tpu') Object.assign(process.env, { ...noTpu, ...process.env });
    const topology = describeTopology(plugin, name, target);
    const devices = new Devices(name, DeviceMesh.fit(mesh, topology.devices.length, rules), []);
    return new XlaRuntime(topology, await activeBackend(devices), new TopologyCompiler(topology));
  }

  get mesh(): DeviceMesh {
    return this.backend.devices.mesh;
  }

  get process(): { readonly index: number; readonly count: number } {
    const { index, count } = this.processes;
    return { index, count };
  }

  get description(): string {
    const { size } = this.mesh;
    const devices = `${size} ${this.platform} device${size === 1 ? '' : 's'}`;
    const { count } = this.process;
    const of = count === 1 ? '' : ` of ${count} processes`;
    return this.backend.devices.present
      ? `XLA on ${devices}${of}`
      : `XLA for ${devices} that needn't be here`;
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
    if (!devices.present) {
      // Kept on the host: a trace can take it for a constant or an argument.
      const type = elementTypeOfArray(array.dtype);
      return this.backend.tensor(type, array.shape, { kind: 'host', values: tensorValues(array.data, type) });
    }
    return this.backend.arrayTensor(
      devices.upload(array.data, elementTypeOfArray(array.dtype), array.shape, sharding),
    );
  }

  get placeholder(): ((spec: TensorSpec) => Tensor) | undefined {
    const { devices } = this.backend;
    if (devices.present) return undefined;
    return ({ dtype, shape, sharding }) =>
      this.backend.tensor(elementTypeOfArray(dtype), shape, {
        kind: 'absent',
        sharding: devices.mesh.sharding(sharding),
      });
  }

  rowsHere(rows: number, spec: PartitionSpec): Rows {
    const { mesh, places, present } = this.backend.devices;
    return present ? rowsAt(mesh, places, rows, mesh.sharding(spec)) : { start: 0, end: rows };
  }

  rowsToDevice(array: HostArray, rows: number, spec: PartitionSpec): Tensor {
    const { devices } = this.backend;
    const shape = [rows, ...array.shape.slice(1)];
    const { start } = this.rowsHere(rows, spec);
    const type = elementTypeOfArray(array.dtype);
    return this.backend.arrayTensor(
      devices.upload(array.data, type, shape, devices.mesh.sharding(spec), start),
    );
  }

  blocksHere(shape: readonly number[], spec: PartitionSpec): readonly Extent[] {
    const { mesh, places, present } = this.backend.devices;
    return present ? distinct(heldAt(mesh, places, shape, mesh.sharding(spec))) : [wholeOf(shape)];
  }

  blocksToDevice(blocks: readonly ArrayBlock[], spec: PartitionSpec): Tensor {
    const { devices } = this.backend;
    const { array, shape } = blocks[0]!;
    if (!devices.present) return this.toDevice(array, spec);
    const type = elementTypeOfArray(array.dtype);
    return this.backend.arrayTensor(devices.uploadBlocks(blocks, type, shape, devices.mesh.sharding(spec)));
  }

  async blocksToHost(tensor: Tensor): Promise<readonly ArrayBlock[]> {
    const { shape, type, state } = this.backend.recordOf(tensor);
    const whole = (array: HostArray) => ({ array, shape: [...shape], start: shape.map(() => 0) });
    if (state.kind !== 'device') return this.processes.index === 0 ? [whole(await this.toHost(tensor))] : [];
    const dtype = arrayDType(type);
    const own = await this.backend.devices.downloadOwn(state.array);
    return own.map(({ held: { start, block }, values }) => ({
      array: new HostArray(dtype, block, values as HostArray['data']),
      shape: [...shape],
      start,
    }));
  }

  async toHost(tensor: Tensor): Promise<HostArray> {
    const record = this.backend.recordOf(tensor);
    const { state, shape, type } = record;
    if (state.kind === 'traced') {
      throw errors.readInTrace({ name: state.trace.name, what: state.made, shape });
    }
    if (state.kind === 'device' && !this.backend.devices.hasWhole(state.array.arrayType)) {
      return this.gathered(tensor, state.array.arrayType);
    }
    const dtype = arrayDType(type);
    const values =
      state.kind === 'host'
        ? state.values.slice()
        : await this.backend.devices.download(this.backend.arrayOf(record));
    return new HostArray(dtype, [...shape], values as HostArray['data']);
  }

  /** Brings parts from other processes first: a program of all of them. */
  private async gathered(tensor: Tensor, arrayType: ArrayType): Promise<HostArray> {
    let gather = this.gathers.get(arrayType);
    if (!gather)
      this.gathers.set(arrayType, (gather = this.jit((x: Tensor) => clone(x), { name: 'gather' })));
    const whole = gather(tensor);
    try {
      return await this.toHost(whole);
    } finally {
      whole.dispose();
    }
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
    if (this.source instanceof Topology) {
      return this.source.devices.map(({ name, attributes }) => {
        const limit = attributes['device_memory_bytes_limit'];
        return { device: name, limit: typeof limit === 'number' ? limit : undefined };
      });
    }
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

  traceDevices(): DeviceTrace | { readonly reason: string } {
    const { source } = this;
    if (source instanceof Topology) return { reason: 'the devices needn’t be here' };
    try {
      const others = source.extensions.join(', ');
      return (
        source.profile() ?? {
          reason: `the ${this.platform} plugin has no Profiler extension (it has ${others})`,
        }
      );
    } catch (error) {
      if (error instanceof PjrtError)
        return { reason: `the profiler of the ${this.platform} plugin: ${error.reason}` };
      throw error;
    }
  }

  /** Native objects that are alive (buffers, programs): for tests and benchmarks that look for leaks. */
  get liveObjects(): number {
    return this.source instanceof Client ? this.source.liveObjects : 0;
  }

  async dispose(): Promise<void> {
    await this.idle();
    for (const ref of this.functions) ref.deref()?.dispose();
    deactivate(this.backend);
    this.source.dispose();
  }
}

async function activeBackend(devices: Devices): Promise<XlaBackend> {
  // tfjs checks shapes and NaNs of each op in its other mode.
  enableProdMode();
  const backend = new XlaBackend(devices);
  await activate(backend);
  return backend;
}

/** What keeps the TPU plugin from looking for a TPU, and from complaining that there is none. */
const noTpu = {
  TPU_SKIP_MDS_QUERY: '1',
  TPU_ACCELERATOR_TYPE: 'v5litepod-8',
  TPU_WORKER_HOSTNAMES: 'localhost',
  TPU_MIN_LOG_LEVEL: '3',
  // Several processes may compile at a time.
  ALLOW_MULTIPLE_LIBTPU_LOAD: '1',
};

const badName: ReadonlySet<string> = new Set(['INVALID_ARGUMENT', 'NOT_FOUND']);

function describeTopology(plugin: string, name: string, target: ReturnType<typeof findTopology>): Topology {
  try {
    return Topology.create(plugin, target.topology, target.options);
  } catch (error) {
    if (!(error instanceof PjrtError) || !badName.has(error.code)) throw error;
    throw topologyErrors.unknown({ name, reason: error.reason.split('\n')[0]?.trim() });
  }
}
