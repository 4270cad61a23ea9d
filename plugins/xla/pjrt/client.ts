// A client: the devices of a platform, and what lives on them.

import { type Api, loadApi } from './api';
import { type BufferContext, type DeviceBuffer, ownBuffers } from './device-buffer';
import { type CompileOptions, compileOptionsOf } from './compile-options';
import { Device } from './device';
import { bytesOf, type ElementType, elementTypes } from './element-types';
import { extensionName, extensionTypes } from './extensions';
import { LoadedExecutable } from './executable';
import { textAt, wordsAt } from './memory';
import { encodeNamedValues, type NamedValues } from './named-values';
import { Profiler, profilerTable } from './profiler';
import { encodeProgram, type Source } from './program';
import { own, type Resource, Resources } from './resources';

/** Options of a client; each platform knows its own others by name. */
export interface ClientOptions {
  /** Virtual devices of the CPU platform; its own default is 4. Other platforms reject it. */
  readonly cpuDeviceCount?: number;
  /** Options passed on as they are. */
  readonly platform?: NamedValues;
  /** Through which the clients of several processes find each other: addresses of C functions. */
  readonly keyValue?: KeyValueCallbacks;
}

/** Addresses of functions of the types `PJRT_KeyValue...Callback`; they stay valid as long as the client. */
export interface KeyValueCallbacks {
  readonly get: bigint;
  readonly tryGet: bigint;
  readonly put: bigint;
}

/** PJRT_HostBufferSemantics: the values are copied before the call returns. */
const immutableOnlyDuringCall = 0;

/** The devices of a platform, as this process sees them. It lives until it is disposed. */
export class Client {
  readonly devices: readonly Device[];
  /** The devices that this process can use. */
  readonly addressableDevices: readonly Device[];
  private readonly context: BufferContext;
  private readonly resource: Resource;

  private constructor(
    readonly api: Api,
    pointer: bigint,
  ) {
    this.resource = own('client', pointer, (client) => api.call('PJRT_Client_Destroy', { client }));
    const of = { client: pointer };
    const all = api.call('PJRT_Client_Devices', of);
    const pointers = [...wordsAt(all.get('devices'), all.get('num_devices'))];
    const byPointer = new Map(pointers.map((device) => [device, new Device(api, device)]));
    const deviceAt = (device: bigint) => byPointer.get(device)!;
    this.devices = pointers.map(deviceAt);
    const some = api.call('PJRT_Client_AddressableDevices', of);
    const addressable = wordsAt(some.get('addressable_devices'), some.get('num_addressable_devices'));
    this.addressableDevices = [...addressable].map(deviceAt);
    this.context = { api, resources: new Resources(), deviceAt };
  }

  /**
   * Loads a plugin and creates a client of it.
   *
   * @param plugin path of the shared library.
   * @throws UserError runtime/plugin-not-loadable, runtime/plugin-too-old; PjrtError from the platform.
   */
  static create(plugin: string, options: ClientOptions = {}): Client {
    const api = loadApi(plugin);
    const count = options.cpuDeviceCount;
    const values = { ...(count === undefined ? {} : { cpu_device_count: count }), ...options.platform };
    const { values: create_options, count: num_options } = encodeNamedValues(values);
    const { keyValue } = options;
    const created = api.call('PJRT_Client_Create', {
      create_options,
      num_options,
      ...(keyValue && {
        kv_get_callback: keyValue.get,
        kv_try_get_callback: keyValue.tryGet,
        kv_put_callback: keyValue.put,
      }),
    });
    return new Client(api, created.get('client'));
  }

  /** The names of the plugin's extensions. */
  get extensions(): readonly string[] {
    return [...this.api.extensions.keys()].map(extensionName);
  }

  /** Starts to record what the devices do; undefined where the plugin has no profiler. @throws PjrtError */
  profile(): Profiler | undefined {
    const extension = this.api.extensions.get(extensionTypes.Profiler);
    return extension === undefined ? undefined : new Profiler(profilerTable(extension));
  }

  /** `cpu`, `cuda`, `tpu`. */
  get platformName(): string {
    const name = this.api.call('PJRT_Client_PlatformName', { client: this.resource.pointer });
    return textAt(name.get('platform_name'), name.get('platform_name_size'));
  }

  get platformVersion(): string {
    const version = this.api.call('PJRT_Client_PlatformVersion', { client: this.resource.pointer });
    return textAt(version.get('platform_version'), version.get('platform_version_size'));
  }

  /** How many native objects of this client are alive: for tests, and for finding leaks. */
  get liveObjects(): number {
    return this.context.resources.size;
  }

  /**
   * Compiles a StableHLO module for this client's devices. Takes seconds for a large one, and blocks.
   *
   * @throws PjrtError with the compiler's diagnostics.
   */
  compile(source: Source, options?: CompileOptions): LoadedExecutable {
    const compiled = this.api.callApart('PJRT_Client_Compile', {
      client: this.resource.pointer,
      program: encodeProgram(source),
      ...compileOptionsOf(options),
    });
    return new LoadedExecutable(this.context, compiled.get('executable'));
  }

  /** Loads what `Executable.serialize` gave, in the same version of the plugin. */
  deserializeExecutable(serialized: Uint8Array): LoadedExecutable {
    const result = this.api.call('PJRT_Executable_DeserializeAndLoad', {
      client: this.resource.pointer,
      serialized_executable: serialized,
      serialized_executable_size: serialized.byteLength,
    });
    return new LoadedExecutable(this.context, result.get('loaded_executable'));
  }

  /**
   * Copies a dense row-major host array to a device. The values are copied before this returns, so the array
   * may be changed at once. That takes main-thread time (64 MiB: 40 ms).
   *
   * @throws RangeError when `data` is smaller than the shape.
   */
  bufferFromHost(
    data: ArrayBufferView,
    elementType: ElementType,
    dims: readonly number[],
    device: Device = this.addressableDevices[0]!,
  ): DeviceBuffer {
    const needed = bytesOf(elementType, dims);
    if (data.byteLength < needed) {
      throw new RangeError(`${data.byteLength} bytes given, and ${elementType}[${dims}] has ${needed}`);
    }
    const sizes = BigInt64Array.from(dims, BigInt);
    const result = this.api.call('PJRT_Client_BufferFromHostBuffer', {
      client: this.resource.pointer,
      data: needed === 0 ? placeholder : data,
      type: elementTypes[elementType].pjrt,
      dims: sizes,
      num_dims: dims.length,
      host_buffer_semantics: immutableOnlyDuringCall,
      device: device.pointer,
    });
    this.api.call('PJRT_Event_Destroy', { event: result.get('done_with_host_buffer') });
    const shape = { elementType, dims: [...dims] };
    return ownBuffers(this.context, [result.get('buffer')], [shape])[0]!;
  }

  /** Frees everything that lives on its devices, and the client. */
  dispose(): void {
    this.context.resources.releaseAll();
    this.resource.release();
  }
}

/** Where an empty array's data points: some platforms reject a null pointer. */
const placeholder = new Uint8Array(1);
