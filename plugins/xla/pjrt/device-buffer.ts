// Arrays on a device.

import { type Api } from './api';
import { type Device } from './device';
import { bytesOf, type ElementType, hostArray, type HostArray } from './element-types';
import { awaitNow, settled } from './event';
import { type Memory, NULL, Struct } from './memory';
import { type Guard, type OwnedList, type Resource, type Resources } from './resources';

export interface Shape {
  readonly elementType: ElementType;
  readonly dims: readonly number[];
}

/** What a buffer needs of the client that it belongs to. */
export interface BufferContext {
  readonly api: Api;
  readonly resources: Resources;
  deviceAt(pointer: bigint): Device;
}

/** An array on a device: its values may still be being computed. */
export class DeviceBuffer {
  constructor(
    private readonly context: BufferContext,
    private readonly resource: Resource,
    readonly shape: Shape,
    /** Kept for the collector's sake: see Resources. */
    protected readonly guard: Guard,
  ) {}

  /** For other calls of the C API. @throws Error when disposed. */
  get pointer(): bigint {
    return this.resource.pointer;
  }

  get elementType(): ElementType {
    return this.shape.elementType;
  }

  get dims(): readonly number[] {
    return this.shape.dims;
  }

  /** Bytes of the values on the host, dense. */
  get byteLength(): number {
    return bytesOf(this.shape.elementType, this.shape.dims);
  }

  get device(): Device {
    const { api } = this.context;
    return this.context.deviceAt(api.call('PJRT_Buffer_Device', { buffer: this.pointer }).get('device'));
  }

  /** Whether its memory is gone: disposed, deleted or donated. */
  get isDeleted(): boolean {
    if (this.resource.isReleased) return true;
    return this.context.api.call('PJRT_Buffer_IsDeleted', { buffer: this.pointer }).get('is_deleted');
  }

  /** Resolves when the values are there; rejects with what went wrong in computing them. */
  ready(): Promise<void> {
    const { api } = this.context;
    const event = api.call('PJRT_Buffer_ReadyEvent', { buffer: this.pointer }).get('event');
    return settled(api, event, 'computing a buffer');
  }

  /**
   * Copies the values, row-major, into `target` (or a new array) once they are there. Leave `target` alone
   * until then.
   *
   * @throws RangeError when `target` is too small; rejects with PjrtError when computing or copying fails.
   */
  toHost(): Promise<HostArray>;
  toHost<T extends ArrayBufferView>(target: T): Promise<T>;
  async toHost(target: ArrayBufferView = hostArray(this.elementType, this.dims)): Promise<ArrayBufferView> {
    if (this.byteLength === 0) await this.ready();
    else await settled(this.context.api, this.copyTo(target), copying, target);
    return target;
  }

  /** Like toHost, but blocks the thread: for tests and small eager reads. */
  toHostSync(): HostArray;
  toHostSync<T extends ArrayBufferView>(target: T): T;
  toHostSync(target: ArrayBufferView = hostArray(this.elementType, this.dims)): ArrayBufferView {
    if (this.byteLength > 0) {
      awaitNow(this.context.api, this.copyTo(target), copying);
    }
    return target;
  }

  /** Frees the device's memory and the native object, as soon as no computation needs them. */
  dispose(): void {
    this.resource.release();
  }

  /** Starts the copy; the event is ready when it is done. */
  private copyTo(target: ArrayBufferView): bigint {
    const { byteLength, dims } = this;
    if (target.byteLength < byteLength) {
      throw new RangeError(`The target has ${target.byteLength} bytes, and the buffer ${byteLength}`);
    }
    const copy = this.context.api.call('PJRT_Buffer_ToHostBuffer', {
      src: this.pointer,
      host_layout: dims.length > 1 ? rowMajor(dims.length) : NULL,
      dst: target,
      dst_size: byteLength,
    });
    return copy.get('event');
  }
}

const destroyers = new WeakMap<Api, (buffer: bigint) => void>();

/** One for each plugin: it can't reach a guard, which would keep that from being collected. */
function destroyer(api: Api): (buffer: bigint) => void {
  let destroy = destroyers.get(api);
  if (!destroy) {
    const args = new Struct('PJRT_Buffer_Destroy_Args');
    const buffer = args.pointerField('buffer');
    destroy = (pointer) => {
      buffer.set(pointer);
      api.invoke('PJRT_Buffer_Destroy', args);
    };
    destroyers.set(api, destroy);
  }
  return destroy;
}

/** Takes ownership of native buffers. */
export function ownBuffers(
  context: BufferContext,
  pointers: Iterable<bigint>,
  shapes: readonly Shape[],
): DeviceBuffer[] {
  const { api, resources } = context;
  const guard: Guard = {};
  const owned = resources.own(guard, 'buffer', [...pointers], destroyer(api));
  return owned.map((resource, index) => new DeviceBuffer(context, resource, shapes[index]!, guard));
}

/** Arrays on a device that have no objects of their own yet: what one program makes for the next to take. */
export class BufferList {
  private readonly owned: OwnedList;

  /** Takes ownership of native buffers. */
  constructor(
    private readonly context: BufferContext,
    pointers: BigUint64Array,
    private readonly shapes: readonly Shape[],
  ) {
    this.owned = context.resources.ownList(this, 'buffer', pointers, destroyer(context.api));
  }

  /** For other calls of the C API. @throws Error when disposed. */
  get pointers(): BigUint64Array {
    return this.owned.pointers;
  }

  get length(): number {
    return this.shapes.length;
  }

  get isDeleted(): boolean {
    return this.owned.alive === 0;
  }

  /** Resolves when the first of them is computed: a program's results are at one time. */
  ready(): Promise<void> {
    const { api } = this.context;
    const event = api.call('PJRT_Buffer_ReadyEvent', { buffer: this.pointers[0]! }).get('event');
    return settled(api, event, 'computing a buffer');
  }

  /** Makes an object for each. The list is empty afterwards. */
  buffers(): DeviceBuffer[] {
    return ownBuffers(this.context, this.owned.giveUp(), this.shapes);
  }

  /** Frees all. */
  dispose(): void {
    this.owned.release();
  }
}

const copying = 'copying a buffer to the host';

const rowMajorLayouts = new Map<number, Memory>();

/** Without a layout the copy would have the device's own, which isn't row-major on every platform. */
function rowMajor(rank: number): Memory {
  let layout = rowMajorLayouts.get(rank);
  if (!layout) {
    const minor_to_major = BigInt64Array.from({ length: rank }, (_, index) => BigInt(rank - 1 - index));
    const tiled = new Struct('PJRT_Buffer_MemoryLayout_Tiled').set({
      minor_to_major,
      minor_to_major_size: rank,
    });
    layout = new Struct('PJRT_Buffer_MemoryLayout').embed('tiled', tiled);
    rowMajorLayouts.set(rank, layout);
  }
  return layout;
}
