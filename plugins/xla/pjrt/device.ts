// Devices: what they are, and how much memory they use. They belong to their client or topology.

import { type Api } from './api';
import { textAt } from './memory';
import { decodeNamedValues, type NamedValues } from './named-values';

/** What is known of a device, present or not (a topology has descriptions only). */
export interface DeviceDescription {
  readonly id: number;
  readonly processIndex: number;
  /** The vendor's name of the model, such as `TPU v5 lite`. */
  readonly kind: string;
  /** Short, for people. */
  readonly name: string;
  /** Platform-specific, such as a TPU's `coords`. */
  readonly attributes: NamedValues;
}

export function describe(api: Api, device_description: bigint): DeviceDescription {
  const of = { device_description };
  const kind = api.call('PJRT_DeviceDescription_Kind', of);
  const name = api.call('PJRT_DeviceDescription_ToString', of);
  const attributes = api.call('PJRT_DeviceDescription_Attributes', of);
  return {
    id: api.call('PJRT_DeviceDescription_Id', of).get('id'),
    processIndex: api.call('PJRT_DeviceDescription_ProcessIndex', of).get('process_index'),
    kind: textAt(kind.get('device_kind'), kind.get('device_kind_size')),
    name: textAt(name.get('to_string'), name.get('to_string_size')),
    attributes: decodeNamedValues(attributes.get('attributes'), attributes.get('num_attributes')),
  };
}

/** What a platform doesn't report is absent. */
export interface MemoryStats {
  readonly bytesInUse: number;
  readonly peakBytesInUse?: number;
  readonly bytesLimit?: number;
}

export class Device {
  readonly description: DeviceDescription;
  /** Whether this process can use it. */
  readonly isAddressable: boolean;

  constructor(
    private readonly api: Api,
    readonly pointer: bigint,
  ) {
    const device = pointer;
    const description = api.call('PJRT_Device_GetDescription', { device }).get('device_description');
    this.description = describe(api, description);
    this.isAddressable = api.call('PJRT_Device_IsAddressable', { device }).get('is_addressable');
  }

  get id(): number {
    return this.description.id;
  }

  get kind(): string {
    return this.description.kind;
  }

  get processIndex(): number {
    return this.description.processIndex;
  }

  /** @throws PjrtError UNIMPLEMENTED on platforms that keep no statistics, such as the CPU's. */
  memoryStats(): MemoryStats {
    const stats = this.api.call('PJRT_Device_MemoryStats', { device: this.pointer });
    return {
      bytesInUse: stats.get('bytes_in_use'),
      peakBytesInUse: stats.get('peak_bytes_in_use_is_set') ? stats.get('peak_bytes_in_use') : undefined,
      bytesLimit: stats.get('bytes_limit_is_set') ? stats.get('bytes_limit') : undefined,
    };
  }
}
