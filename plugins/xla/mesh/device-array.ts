// Arrays over the devices of a mesh: one buffer on each device, a part of the array or all of it.

import { errors } from '../errors';
import { type Client, type CompileOptions, type Device, type DeviceBuffer, elementTypes } from '../pjrt';
import { describeType, type ElementType, sizeOf } from '../stablehlo';
import { type ArrayBlock, cut, paste } from '../../../core/blocks';
import type { DeviceMesh, Sharding } from './device-mesh';
import { distinct, type Held, heldAt } from './places';

/** What a compiled program must know of an array, interned: equal ones are one object with one id. */
export interface ArrayType {
  readonly type: ElementType;
  readonly shape: readonly number[];
  readonly sharding: Sharding;
  readonly id: number;
}

export interface DeviceArray {
  readonly arrayType: ArrayType;
  /** One for each device of the mesh that this process has, in its order. */
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
    /** Those that this process has; none if they aren't here. */
    readonly list: readonly Device[],
    /** Where each of them is in the mesh. */
    readonly places: readonly number[] = list.map((_, place) => place),
  ) {}

  /** Compiles a program for all devices of the mesh, in its order. */
  get spread(): CompileOptions {
    const { devices } = this.client;
    return { partitions: devices.length, deviceAssignment: [devices.map(({ id }) => id)] };
  }

  /** Whether this process has all of an array. */
  hasWhole({ shape, sharding }: ArrayType): boolean {
    if (sharding.isReplicated || this.places.length === this.mesh.size) return true;
    const parts = this.mesh.parts(shape, sharding).reduce((product, count) => product * count, 1);
    return this.held(shape, sharding).length === parts;
  }

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

  /**
   * Copies host data to the devices; the array may be changed afterwards.
   *
   * @param firstRow of `data` in the array: before it and after the last there may be rows for other processes' devices.
   */
  upload(
    data: ArrayBufferView,
    type: ElementType,
    shape: readonly number[],
    sharding: Sharding,
    firstRow = 0,
  ): DeviceArray {
    const arrayType = this.arrayType(type, shape, sharding);
    if (sharding.isReplicated) {
      const buffers = this.list.map((device) => this.client.bufferFromHost(data, type, shape, device));
      return { arrayType, buffers };
    }
    const { bytes: width } = elementTypes[type];
    const bytes = bytesOf(data);
    const held = heldAt(this.mesh, this.places, shape, sharding);
    const buffers = held.map(({ start: [row = 0, ...columns], block }, i) => {
      const part = cut(bytes, width, shape, block, shape.length === 0 ? [] : [row - firstRow, ...columns]);
      return this.client.bufferFromHost(part, type, block, this.list[i]!);
    });
    return { arrayType, buffers };
  }

  /** Copies the different blocks of this process's devices there, each to all that hold it. */
  uploadBlocks(
    blocks: readonly ArrayBlock[],
    type: ElementType,
    shape: readonly number[],
    sharding: Sharding,
  ): DeviceArray {
    const arrays = new Map(blocks.map(({ start, array }) => [start.join(), array]));
    const buffers = heldAt(this.mesh, this.places, shape, sharding).map(({ start, block }, i) =>
      this.client.bufferFromHost(arrays.get(start.join())!.data, type, block, this.list[i]!),
    );
    return { arrayType: this.arrayType(type, shape, sharding), buffers };
  }

  /** The values, when they are computed: bits for 16-bit floats. Of arrays that this process has whole. */
  async download(array: DeviceArray): Promise<ArrayBufferView> {
    const { type, shape, sharding } = array.arrayType;
    if (sharding.isReplicated) return array.buffers[0]!.toHost();
    this.checkWhole(array);
    const target = new elementTypes[type].array(sizeOf(shape));
    const parts = await Promise.all(
      this.held(shape, sharding).map(
        async (held) => [held, await this.bufferAt(array, held).toHost()] as const,
      ),
    );
    for (const [held, part] of parts) place(target, array.arrayType, held, part);
    return target;
  }

  downloadSync(array: DeviceArray): ArrayBufferView {
    const { type, shape, sharding } = array.arrayType;
    if (sharding.isReplicated) return array.buffers[0]!.toHostSync();
    this.checkWhole(array);
    const target = new elementTypes[type].array(sizeOf(shape));
    for (const held of this.held(shape, sharding))
      place(target, array.arrayType, held, this.bufferAt(array, held).toHostSync());
    return target;
  }

  /** The parts that fall to this process: of replicas, the first in the mesh counts. */
  async downloadOwn(
    array: DeviceArray,
  ): Promise<{ readonly held: Held; readonly values: ArrayBufferView }[]> {
    const { shape, sharding } = array.arrayType;
    const everywhere = Array.from({ length: this.mesh.size }, (_, place) => place);
    const own = distinct(heldAt(this.mesh, everywhere, shape, sharding)).filter(({ place }) =>
      this.places.includes(place),
    );
    return Promise.all(
      own.map(async (held) => ({ held, values: await this.bufferAt(array, held).toHost() })),
    );
  }

  /** Parts of this process's devices, replicas once. */
  private held(shape: readonly number[], sharding: Sharding): Held[] {
    return distinct(heldAt(this.mesh, this.places, shape, sharding));
  }

  private bufferAt({ buffers }: DeviceArray, { place }: Held): DeviceBuffer {
    return buffers[this.places.indexOf(place)]!;
  }

  private checkWhole({ arrayType }: DeviceArray): void {
    if (!this.hasWhole(arrayType)) throw errors.notWhole({ array: describeArrayType(arrayType) });
  }
}

const bytesOf = (array: ArrayBufferView) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

function place(
  target: ArrayBufferView,
  { type, shape }: ArrayType,
  { start, block }: Held,
  part: ArrayBufferView,
): void {
  paste(bytesOf(target), bytesOf(part), elementTypes[type].bytes, shape, block, start);
}

export function disposeArray(array: DeviceArray): void {
  for (const buffer of array.buffers) buffer.dispose();
}
