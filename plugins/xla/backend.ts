// The tfjs backend: keeps what is known of each tensor's data, and runs kernels. While a function is traced, a kernel
// adds operations to the trace's graph; otherwise it runs at once as a tiny program.

import {
  type BackendValues,
  type DataType,
  engine,
  KernelBackend,
  type NamedTensorInfoMap,
  type Tensor,
  type TensorInfo,
  type TypedArray,
} from '@tensorflow/tfjs-core';
import { halfToFloat } from '../../core/half';
import type { RegionBackend, Regions } from '../../core/tensor/regions';
import { elementTypeOfTensor, tensorDType } from './element-types';
import { errors } from './errors';
import { EagerPrograms, type EagerInput } from './eager';
import { asWeak, hostCreation, isWeak, type Lowering, lowerings } from './kernels';
import { type DeviceArray, type Devices, disposeArray } from './mesh';
import type { BufferList, DeviceBuffer } from './pjrt';
import { DataRecord, type State } from './record';
import { regionsOf } from './regions';
import { isFloat, type ElementType, type Value } from './stablehlo';
import type { Trace } from './trace';

/** The state of all data that a program took, and what those tensors do when they are read. */
export interface Donated {
  readonly kind: 'gone';
  readonly error: (shape: readonly number[]) => Error;
  readonly throwIfDisposed: (this: Tensor) => never;
}

export function donatedTo(name: string): Donated {
  return {
    kind: 'gone',
    error: (shape) => errors.donated({ name, shape }),
    throwIfDisposed() {
      throw errors.donated({ name, shape: this.shape });
    },
  };
}

const disposed: State = { kind: 'gone', error: (shape) => errors.disposed({ shape }) };

/** tfjs's ops that fill host buffers from Math.random, by the scope in which they make their tensor. */
const randomScopes = new Map(
  [
    'rand',
    'randomGamma',
    'randomNormal',
    'randomStandardNormal',
    'randomUniform',
    'randomUniformInt',
    'truncatedNormal',
    'dropout',
  ].map((op) => [`${op}__op`, op]),
);

export class XlaBackend extends KernelBackend implements RegionBackend {
  /** Data that came from another tfjs backend, by the id that it had there. */
  private readonly adopted = new WeakMap<object, DataRecord>();
  private readonly eager: EagerPrograms;
  private readonly traces: Trace[] = [];
  private live = 0;
  private running: WeakRef<DeviceBuffer | BufferList>[] = [];

  constructor(readonly devices: Devices) {
    super();
    this.eager = new EagerPrograms(devices);
  }

  // ---- data ------------------------------------------------------------------------------------------------------

  override write(values: BackendValues, shape: number[], dtype: DataType): object {
    const trace = this.trace;
    if (trace) this.refuseRandomNumbers(trace);
    const type = dtype === 'string' ? 'ui8' : elementTypeOfTensor(dtype);
    // Of strings only the numbers of bytes are kept: any use throws.
    const state: State =
      dtype === 'string'
        ? { kind: 'gone', error: errors.stringTensor }
        : { kind: 'host', values: typed(values as TypedArray | number[], dtype) };
    return this.add(type, shape, state);
  }

  /** Data of another backend comes in. */
  override move(
    dataId: object,
    values: BackendValues,
    shape: number[],
    dtype: DataType,
    refCount: number,
  ): void {
    const state: State = { kind: 'host', values: typed(values as TypedArray | number[], dtype) };
    const record = this.add(elementTypeOfTensor(dtype), shape, state);
    record.refs = refCount;
    this.adopted.set(dataId, record);
  }

  /** A tensor of data that the backend keeps. Tracked by the current tfjs scope. */
  tensor(type: ElementType, shape: readonly number[], state: State): Tensor {
    return engine().makeTensorFromTensorInfo(this.info(type, shape, state));
  }

  arrayTensor(array: DeviceArray): Tensor {
    return this.tensor(array.arrayType.type, array.arrayType.shape, { kind: 'device', array });
  }

  /** @throws UserError for a tensor whose data is gone. */
  recordOf(tensor: TensorInfo): DataRecord {
    const record = this.find(tensor.dataId) ?? this.adopt(tensor);
    if (record.state.kind === 'gone') throw record.state.error(record.shape);
    if (record.owner !== this) throw errors.runtimeGone();
    return record;
  }

  private find(dataId: object): DataRecord | undefined {
    return dataId instanceof DataRecord ? dataId : this.adopted.get(dataId);
  }

  /** Moves a tensor of another tfjs backend here. */
  private adopt({ dataId, shape }: TensorInfo): DataRecord {
    if (!engine().state.tensorInfo.has(dataId)) throw errors.disposed({ shape });
    engine().moveData(this, dataId);
    return this.adopted.get(dataId)!;
  }

  /** The array of a concrete tensor on the devices; host values are copied there, once. */
  arrayOf(record: DataRecord): DeviceArray {
    const { state, type, shape } = record;
    switch (state.kind) {
      case 'device':
        return state.array;
      case 'host':
        return (state.uploaded ??= this.devices.upload(
          state.values,
          type,
          shape,
          this.devices.mesh.replicated,
        ));
      case 'absent':
        throw errors.devicesNotHere({ topology: this.devices.description });
      case 'traced':
        throw errors.escaped({ name: state.trace.name, shape });
      case 'gone':
        throw state.error(shape);
    }
  }

  /** Ends a tensor whose memory a program took: tfjs's books are closed, and later uses throw. */
  donate(tensor: Tensor, record: DataRecord, gone: Donated): void {
    record.state = gone;
    tensor.dispose();
    // Reading it would say only that it is disposed.
    tensor.throwIfDisposed = gone.throwIfDisposed;
  }

  private info(type: ElementType, shape: readonly number[], state: State): TensorInfo {
    return { dataId: this.add(type, shape, state), shape: shape as number[], dtype: tensorDType(type) };
  }

  private add(type: ElementType, shape: readonly number[], state: State): DataRecord {
    this.live++;
    return new DataRecord(this, type, shape, state);
  }

  override incRef(dataId: object): void {
    const record = this.find(dataId);
    if (record) record.refs++;
  }

  override refCount(dataId: object): number {
    return this.find(dataId)?.refs ?? 0;
  }

  override disposeData(dataId: object, force = false): boolean {
    const record = this.find(dataId);
    if (!record) return true;
    if (--record.refs > 0 && !force) return false;
    this.end(record);
    return true;
  }

  /** Lets go of data that a trace captured. */
  release(record: DataRecord): void {
    if (--record.refs === 0) this.end(record);
  }

  private end(record: DataRecord): void {
    this.live--;
    if (record.state.kind === 'gone') return;
    this.free(record);
    record.state = disposed;
  }

  private free({ state }: DataRecord): void {
    if (state.kind === 'device') disposeArray(state.array);
    if (state.kind === 'host' && state.uploaded) disposeArray(state.uploaded);
  }

  override readSync(dataId: object): BackendValues {
    const record = this.readable(dataId);
    if (record.state.kind === 'host') return record.state.values;
    return tensorValues(this.devices.downloadSync(this.arrayOf(record)), record.type);
  }

  override async read(dataId: object): Promise<BackendValues> {
    const record = this.readable(dataId);
    if (record.state.kind === 'host') return record.state.values;
    return tensorValues(await this.devices.download(this.arrayOf(record)), record.type);
  }

  private readable(dataId: object): DataRecord {
    const record = this.find(dataId);
    if (record?.owner !== this) throw errors.runtimeGone();
    const { state, shape } = record;
    if (state.kind === 'gone') throw state.error(shape);
    if (state.kind === 'traced') {
      if (!state.trace.open) throw errors.escaped({ name: state.trace.name, shape });
      throw errors.readInTrace({ name: state.trace.name, what: state.made, shape });
    }
    return record;
  }

  // ---- kernels ---------------------------------------------------------------------------------------------------

  /** The innermost trace that is under way. */
  get trace(): Trace | undefined {
    return this.traces[this.traces.length - 1];
  }

  get regions(): Regions | undefined {
    const { trace } = this;
    return trace && regionsOf(this, trace);
  }

  /** Runs `fn` with kernels emitting into `trace`. */
  tracing<R>(trace: Trace, fn: () => R): R {
    this.traces.push(trace);
    try {
      return fn();
    } finally {
      this.traces.pop();
    }
  }

  runKernel(kernel: string, inputs: NamedTensorInfoMap, attrs: unknown): TensorInfo | TensorInfo[] {
    const lowering = lowerings.get(kernel);
    if (!lowering) throw errors.unloweredKernel({ kernel });
    if (typeof lowering !== 'function') throw errors.unloweredKernel({ kernel, reason: lowering.reason });
    if (kernel === 'Identity') return this.share(inputs.x as TensorInfo);
    const { trace } = this;
    return trace
      ? this.emit(trace, kernel, lowering, inputs, attrs)
      : this.runNow(kernel, lowering, inputs, attrs);
  }

  private share(x: TensorInfo): TensorInfo {
    this.recordOf(x).refs++;
    return { dataId: x.dataId, shape: x.shape, dtype: x.dtype };
  }

  private emit(
    trace: Trace,
    kernel: string,
    lowering: Lowering,
    inputs: NamedTensorInfoMap,
    attrs: unknown,
  ): TensorInfo | TensorInfo[] {
    const values: Record<string, Value> = {};
    // What is made of plain numbers alone is as weak as they are.
    let weak = false;
    let strong = false;
    for (const name in inputs) {
      const input = inputs[name] as TensorInfo | undefined;
      if (!input) continue;
      const value = (values[name] = trace.valueOf(this.recordOf(input)));
      if (isWeak(value)) weak = true;
      else strong = true;
    }
    const made = `made by ${kernel}`;
    const info = (result: Value) => {
      const value = weak && !strong && isFloat(result.type) ? asWeak(result) : result;
      return this.info(value.type, value.shape, { kind: 'traced', trace, value, made });
    };
    const results = lowering(values, attrs, trace.graph);
    // What is made of constants alone is a constant, which needs no keeping.
    const pass = (made: readonly Value[]) =>
      strong ? trace.recorders.pass({ kernel, inputs: values, attrs }, made) : made;
    return isList(results) ? pass(results).map(info) : info(pass([results])[0]!);
  }

  private runNow(
    kernel: string,
    lowering: Lowering,
    inputs: NamedTensorInfoMap,
    attrs: unknown,
  ): TensorInfo | TensorInfo[] {
    if (kernel in hostCreation) {
      const create = hostCreation[kernel as keyof typeof hostCreation] as (
        attrs: unknown,
      ) => ReturnType<typeof hostCreation.Fill>;
      const { values, shape, dtype } = create(attrs);
      return this.info(elementTypeOfTensor(dtype), shape, { kind: 'host', values });
    }
    const arrays: Record<string, EagerInput> = {};
    for (const name in inputs) {
      const input = inputs[name] as TensorInfo | undefined;
      if (!input) continue;
      const record = this.recordOf(input);
      const weak = record.state.kind === 'host' && record.shape.length === 0 && isFloat(record.type);
      arrays[name] = { array: this.arrayOf(record), weak };
    }
    const results = this.eager.run(kernel, lowering, arrays, attrs);
    this.dispatched(results[0]?.buffers[0]);
    const infos = results.map((array) =>
      this.info(array.arrayType.type, array.arrayType.shape, { kind: 'device', array }),
    );
    return listKernels.has(kernel) ? infos : infos[0]!;
  }

  private refuseRandomNumbers(trace: Trace): void {
    for (const scope of engine().state.scopeStack) {
      const op = randomScopes.get(scope.name);
      if (op) throw errors.randomInTrace({ name: trace.name, op });
    }
  }

  // ---- dispatched programs ---------------------------------------------------------------------------------------

  /** Notes an output of a program that was just started. */
  dispatched(output: DeviceBuffer | BufferList | undefined): void {
    if (!output) return;
    // An output that is gone or that the collector took needs no waiting for.
    if (this.running.length >= 256)
      this.running = this.running.filter((ref) => ref.deref()?.isDeleted === false).slice(-128);
    this.running.push(new WeakRef(output));
  }

  /** Resolves when all that was started is computed. Failures are for those who read the results. */
  async idle(): Promise<void> {
    const { running } = this;
    this.running = [];
    for (const ref of running) {
      const output = ref.deref();
      if (output && !output.isDeleted) await output.ready().catch(() => {});
    }
  }

  // ---- the rest of tfjs's interface ------------------------------------------------------------------------------

  override numDataIds(): number {
    return this.live;
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: false };
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override timerAvailable(): boolean {
    return false;
  }

  override dispose(): void {
    this.eager.dispose();
  }
}

/** Kernels whose result is a list, even of one. */
const listKernels = new Set(['SplitV', 'Unpack', 'TopK', 'MaxPoolWithArgmax', 'BvOptimizationBarrier']);

const isList = (results: Value | readonly Value[]): results is readonly Value[] => Array.isArray(results);

function typed(values: TypedArray | number[], dtype: DataType): TypedArray {
  if (!Array.isArray(values)) return values;
  if (dtype === 'float32') return Float32Array.from(values);
  return dtype === 'int32' ? Int32Array.from(values) : Uint8Array.from(values);
}

/** Host values as tfjs has them: float32, int32, or bytes for bool. */
export function tensorValues(values: ArrayBufferView, type: ElementType): TypedArray {
  if (type === 'bf16') return halfToFloat('bfloat16', values as Uint16Array);
  if (type === 'f16') return halfToFloat('float16', values as Uint16Array);
  if (type === 'ui8') return Int32Array.from(values as Uint8Array);
  return values as TypedArray;
}
