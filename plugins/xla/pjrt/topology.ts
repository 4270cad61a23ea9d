// Devices that needn't be there: a description of a slice or a machine, to compile for ahead of time.

import { type Api, loadApi } from './api';
import { type CompileOptions, compileOptionsOf } from './compile-options';
import { describe, type DeviceDescription } from './device';
import { Executable } from './executable';
import { textAt, wordsAt } from './memory';
import { encodeNamedValues, type NamedValues } from './named-values';
import { encodeProgram, type Source } from './program';
import { own, type Resource, Resources } from './resources';

/** Devices to compile for. It lives until it is disposed. */
export class Topology {
  /** In the order that device assignments count them. */
  readonly devices: readonly DeviceDescription[];
  private readonly resources = new Resources();
  private readonly resource: Resource;

  private constructor(
    private readonly api: Api,
    pointer: bigint,
  ) {
    this.resource = own('topology', pointer, (topology) =>
      api.call('PJRT_TopologyDescription_Destroy', { topology }),
    );
    const list = api.call('PJRT_TopologyDescription_GetDeviceDescriptions', { topology: pointer });
    const descriptions = wordsAt(list.get('descriptions'), list.get('num_descriptions'));
    this.devices = [...descriptions].map((description) => describe(api, description));
  }

  /**
   * Describes devices by name; none of them has to be present. On a machine without TPUs the TPU plugin asks
   * the cloud's metadata server in vain, unless TPU_SKIP_MDS_QUERY=1 is set before it is loaded.
   *
   * @param plugin path of the shared library.
   * @param name the platform's own: `v5e:4x4` for a TPU slice; empty for GPUs, which the options describe.
   * @param options for GPUs `target_config` (a GpuTargetConfigProto as text) and `topology` (`1x1x8`: slices,
   *   hosts in each, GPUs in each).
   * @throws PjrtError for a name that the platform doesn't know; UNIMPLEMENTED on CPU.
   */
  static create(plugin: string, name: string, options: NamedValues = {}): Topology {
    const api = loadApi(plugin);
    const bytes = Buffer.from(name);
    const values = encodeNamedValues(options);
    const created = api.call('PJRT_TopologyDescription_Create', {
      topology_name: bytes,
      topology_name_size: bytes.length,
      create_options: values.values,
      num_options: values.count,
    });
    return new Topology(api, created.get('topology'));
  }

  /** `cuda`, `tpu`. */
  get platformName(): string {
    const name = this.api.call('PJRT_TopologyDescription_PlatformName', { topology: this.resource.pointer });
    return textAt(name.get('platform_name'), name.get('platform_name_size'));
  }

  /**
   * Compiles a StableHLO module for these devices. Takes seconds for a large one, and blocks. The default
   * device assignment gives the partitions the devices in order.
   *
   * @throws PjrtError with the compiler's diagnostics.
   */
  compile(source: Source, options: CompileOptions = {}): Executable {
    const { deviceAssignment = this.inOrder(options) } = options;
    const compiled = this.api.call('PJRT_Compile', {
      topology: this.resource.pointer,
      program: encodeProgram(source),
      ...compileOptionsOf({ ...options, deviceAssignment }),
    });
    return new Executable(this.api, this.resources, compiled.get('executable'));
  }

  private inOrder({ replicas = 1, partitions = 1 }: CompileOptions): number[][] {
    return Array.from({ length: replicas }, (_, replica) =>
      Array.from(
        { length: partitions },
        (_, partition) => this.devices[replica * partitions + partition]!.id,
      ),
    );
  }

  /** Frees the description and everything compiled for it. */
  dispose(): void {
    this.resources.releaseAll();
    this.resource.release();
  }
}
