// The WebAssembly backend in Node: its binaries are in its package, what it lacks runs on the cpu backend, and what it
// does wrong is repaired.

import path from 'node:path';
import {
  type BatchMatMulAttrs,
  cast,
  type CastAttrs,
  type ClipByValueAttrs,
  div,
  equal,
  findBackend,
  floor,
  getKernel,
  getKernelsForBackend,
  type KernelBackend,
  type KernelFunc,
  maximum,
  minimum,
  notEqual,
  oneHot,
  type OneHotAttrs,
  registerKernel,
  scalar,
  type Tensor,
  type TensorInfo,
  tidy,
  util,
  where,
} from '@tensorflow/tfjs-core';
import { prepareCpu } from './cpu';
import { type Repair, repairKernels } from './repair';

/** Kernels that tfjs's wasm backend doesn't have and the stock trainer reaches, each with who asks for it. */
const missing = {
  UnsortedSegmentSum: 'the gradient of gather',
  Conv2DBackpropFilter: 'the gradient of conv2d',
  DepthwiseConv2dNativeBackpropFilter: 'the gradient of depthwiseConv2d',
  DepthwiseConv2dNativeBackpropInput: 'the gradient of depthwiseConv2d',
} as const;

/** Its XNNPACK operators are cached by the data of the second operand alone: another shape of it needs other data. */
const matMulOfOneShape: Repair = (original) => {
  const shapes = new WeakMap<object, string>();
  return ({ inputs, attrs, backend }) => {
    const { dataId, shape, dtype } = inputs.b as TensorInfo;
    const { transposeA, transposeB } = attrs as unknown as BatchMatMulAttrs;
    const cached = !transposeA && !transposeB && util.sizeFromShape(shape.slice(0, -2)) === 1;
    const matrix = shape.slice(-2).join();
    const first = shapes.get(dataId) ?? matrix;
    if (cached) shapes.set(dataId, first);
    if (!cached || first === matrix) return original({ inputs, attrs, backend });
    const wasm = backend as KernelBackend;
    const copy = wasm.write(wasm.readSync(dataId), shape, dtype);
    const result = original({ inputs: { ...inputs, b: { dataId: copy, shape, dtype } }, attrs, backend });
    wasm.disposeData(copy, true);
    return result;
  };
};

/** It copies numbers into bytes, so that 0.5 and 256 become false, and -2 is stored as 254. */
const castToTruth: Repair = (original) => (call) => {
  const x = call.inputs.x as Tensor;
  const { dtype } = call.attrs as unknown as CastAttrs;
  if (dtype !== 'bool' || x.dtype === 'bool') return original(call);
  return tidy(() => notEqual(x, scalar(0, x.dtype)));
};

/** Of floats it makes floats, where the other backends make int32. */
const floorDivToInteger: Repair = (original) => (call) => {
  const { a, b } = call.inputs as Record<string, Tensor>;
  return a?.dtype === 'float32' ? tidy(() => cast(floor(div(a, b as Tensor)), 'int32')) : original(call);
};

/**
 * It makes the lower bound of a NaN, and takes int32 for float32. The backend's minimum and maximum keep a NaN that is
 * their first operand.
 */
const clipKeepingNaN: Repair = () => (call) => {
  const x = call.inputs.x as Tensor;
  const { clipValueMin, clipValueMax } = call.attrs as unknown as ClipByValueAttrs;
  const bound = (value: number) => scalar(value, x.dtype as 'float32');
  return tidy(() => minimum(maximum(x, bound(clipValueMin)), bound(clipValueMax)));
};

/** It writes int32, whatever the dtype. */
const oneHotOfItsType: Repair = (original) => (call) => {
  const { dtype = 'int32', depth, onValue, offValue } = call.attrs as unknown as OneHotAttrs;
  if (dtype === 'int32') return original(call);
  return tidy(() => {
    const hot = equal(oneHot(call.inputs.indices as Tensor, depth), scalar(1, 'int32'));
    return cast(where(hot, onValue, offValue), dtype);
  });
};

type Inputs = Readonly<Record<string, TensorInfo | undefined>>;

/** Leaves calls with such inputs to the cpu backend. */
const onCpuIf =
  (kernelName: string, applies: (inputs: Inputs) => boolean): Repair =>
  (original) => {
    const onCpu = borrowed(getKernel(kernelName, 'cpu').kernelFunc);
    return (call) => (applies(call.inputs as Inputs) ? onCpu(call) : original(call));
  };

/** Many of its kernels abort the whole module, or leave the result as the memory was, if they get an empty tensor. */
const isEmpty = (inputs: Inputs) => Object.values(inputs).some((x) => x?.shape.includes(0));

/** These read and write four bytes a value: of truths, which have one, beyond the end. */
const isTruth = ({ x }: Inputs) => x?.dtype === 'bool';

/** As above; and values of two dtypes are mixed as they are stored. */
const isTruthOrMixed = ({ t, e }: Inputs) => t?.dtype === 'bool' || t?.dtype !== e?.dtype;

let prepared = false;

export function prepareWasm(): void {
  if (prepared) return;
  prepared = true;
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- only who runs on it pays for loading it
  const wasm = require('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(prefix: string): void };
  wasm.setWasmPaths(path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + path.sep);
  prepareCpu();
  repairKernels('wasm', {
    BatchMatMul: matMulOfOneShape,
    Cast: castToTruth,
    ClipByValue: clipKeepingNaN,
    FloorDiv: floorDivToInteger,
    OneHot: oneHotOfItsType,
    Reverse: onCpuIf('Reverse', isTruth),
    Select: onCpuIf('Select', isTruthOrMixed),
    StridedSlice: onCpuIf('StridedSlice', isTruth),
  });
  const both = getKernelsForBackend('wasm').filter(({ kernelName }) => getKernel(kernelName, 'cpu'));
  repairKernels(
    'wasm',
    Object.fromEntries(both.map(({ kernelName }) => [kernelName, onCpuIf(kernelName, isEmpty)])),
  );
  for (const kernelName of Object.keys(missing)) {
    const { kernelFunc } = getKernel(kernelName, 'cpu');
    registerKernel({ kernelName, backendName: 'wasm', kernelFunc: borrowed(kernelFunc) });
  }
}

/** A kernel of the cpu backend, over copies of the data. */
function borrowed(onCpu: KernelFunc): KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const wasm = backend as KernelBackend;
    const cpu = findBackend('cpu');
    const move = (
      from: KernelBackend,
      to: KernelBackend,
      { dataId, shape, dtype }: TensorInfo,
    ): TensorInfo => ({
      dataId: to.write(from.readSync(dataId), shape, dtype),
      shape,
      dtype,
    });
    const lent = Object.entries(inputs)
      .filter(([, info]) => info !== undefined)
      .map(([name, info]) => [name, move(wasm, cpu, info as TensorInfo)] as const);
    const named = Array.isArray(inputs) ? lent.map(([, info]) => info) : Object.fromEntries(lent);
    const made = onCpu({ inputs: named as typeof inputs, attrs, backend: cpu });
    const results = [made].flat().map((info) => [info, move(cpu, wasm, info)] as const);
    for (const { dataId } of [...lent.map(([, info]) => info), ...results.map(([info]) => info)]) {
      cpu.disposeData(dataId, true);
    }
    const own = results.map(([, info]) => info);
    return Array.isArray(made) ? own : (own[0] as TensorInfo);
  };
}
