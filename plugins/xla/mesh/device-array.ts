// Arrays over the devices of a mesh: one buffer on each device, a part of the array or all of it.

import { errors } from '../errors';
import { type Client, type Device, type DeviceBuffer, elementTypes } from '../pjrt';
import { describeType, type ElementType, sizeOf } from '../stablehlo';
import { cut, paste } from '../../../core/blocks';
import type { DeviceMesh, Sharding } from './device-mesh';

/** What a compiled program must know of an array, interned: equal ones are one object with one id. */
export interface ArrayType {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly sharding: Sharding;
  readonly id: number;
}

export interface DeviceArray {
  readonly arrayType: ArrayType;
  /** One for each device of the mesh, in its order. */
  readonly buffers: readonly DeviceBuffer[];
}

/** For messages: `f32[8, 224, 224, 3]`, with the sharding if there is one. */
export function describeArrayType({ type, shape, sharding }: ArrayType): string {
  return describeType({ type, shape }) + (sharding.isReplicated ? '' : ` over {${sharding.key}}`);
}

/** The devices of one client, as a mesh: makes arrays on them and reads them. */
export class Devices {
  private readonly types = new Map<string, ArrayType>();

  constructor(
    /** The client; or the name of hardware that isn't here, for which programs can be compiled and nothing else. */
    private readonly source: Client | string,
    readonly mesh: DeviceMesh,
    /** None if they aren't here. */
    readonly list: readonly Device[],
  ) {}

  /** For errors: the platform, or what the hardware that isn't here is called. */
  get description(): string {
    return typeof this.source === 'string' ? this.source : this.source.platformName;
  }

  get present(): boolean {
    return typeof this.source !== 'string';
  }

  /** @throws UserError where the devices aren't here. */
  get client(): Client {
    if (typeof this.source === 'string') throw errors.devicesNotHere({ topology: this.source });
    return this.source;
  }

  arrayType(type: ElementType, shape: readonly number[], sharding: Sharding): ArrayType {
    const key = `${type}[${shape.join()}]${sharding.key}`;
    let known = this.types.get(key);
    if (!known) {
      this.mesh.parts(shape, sharding);
      this.types.set(key, (known = { type, shape: [...shape], sharding, id: this.types.size }));
    }
    return known;
  }

  /** Copies host data to the devices; the array may be changed afterwards. */
  upload(
    data: ArrayBufferView,
    type: ElementType,
    shape: readonly number[],
    sharding: Sharding,
  ): DeviceArray {
    const arrayType = this.arrayType(type, shape, sharding);
    if (sharding.isReplicated) {
      const buffers = this.list.map((device) => this.client.bufferFromHost(data, type, shape, device));
      return { arrayType, buffers };
    }
    const { bytes: width } = elementTypes[type];
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const parts = this.mesh.parts(shape, sharding);
    const block = shape.map((size, dim) => size / parts[dim]!);
    const buffers = this.list.map((device, i) => {
      const start = this.mesh.partOf(i, shape, sharding).map((part, dim) => part * block[dim]!);
      return this.client.bufferFromHost(cut(bytes, width, shape, block, start), type, block, device);
    });
    return { arrayType, buffers };
  }

  /** The values, when they are computed: bits for 16-bit floats. */
  async download(array: DeviceArray): Promise<ArrayBufferView> {
    const { type, shape, sharding } = array.arrayType;
    if (sharding.isReplicated) return array.buffers[0]!.toHost();
    const target = new elementTypes[type].array(sizeOf(shape));
    const parts = await Promise.all(
      this.distinct(array).map(async (i) => [i, await array.buffers[i]!.toHost()] as const),
    );
    for (const [i, part] of parts) this.place(target, array, i, part);
    return target;
  }

  downloadSync(array: DeviceArray): ArrayBufferView {
    const { type, shape, sharding } = array.arrayType;
    if (sharding.isReplicated) return array.buffers[0]!.toHostSync();
    const target = new elementTypes[type].array(sizeOf(shape));
    for (const i of this.distinct(array)) this.place(target, array, i, array.buffers[i]!.toHostSync());
    return target;
  }

  /** One device for each part of the array: replicas are read once. */
  private distinct({ arrayType: { shape, sharding } }: DeviceArray): number[] {
    const seen = new Set<string>();
    return this.list.flatMap((_, i) => {
      const part = this.mesh.partOf(i, shape, sharding).join();
      if (seen.has(part)) return [];
      seen.add(part);
      return [i];
    });
  }

  private place(
    target: ArrayBufferView,
    { arrayType }: DeviceArray,
    device: number,
    part: ArrayBufferView,
  ): void {
    const { type, shape, sharding } = arrayType;
    const parts = this.mesh.parts(shape, sharding);
    const block = shape.map((size, dim) => size / parts[dim]!);
    const start = this.mesh.partOf(device, shape, sharding).map((index, dim) => index * block[dim]!);
    const view = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
    paste(view(target), view(part), elementTypes[type].bytes, shape, block, start);
  }
}

export function disposeArray(array: DeviceArray): void {
  for (const buffer of array.buffers) buffer.dispose();
}
