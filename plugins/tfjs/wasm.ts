// The WebAssembly backend in Node: its binaries are in its package, what it lacks runs on the cpu backend, and what it
// does wrong is repaired.

import path from 'node:path';
import {
  type BatchMatMulAttrs,
  cast,
  type CastAttrs,
  type ClipByValueAttrs,
  div,
  findBackend,
  floor,
  getKernel,
  type KernelBackend,
  maximum,
  minimum,
  notEqual,
  registerKernel,
  scalar,
  type Tensor,
  type TensorInfo,
  tidy,
  util,
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

/** It makes the lower bound of a NaN. Its minimum and maximum keep one that is their first operand. */
const clipKeepingNaN: Repair = (original) => (call) => {
  const x = call.inputs.x as Tensor;
  const { clipValueMin, clipValueMax } = call.attrs as unknown as ClipByValueAttrs;
  if (x.dtype !== 'float32') return original(call);
  return tidy(() => minimum(maximum(x, clipValueMin), clipValueMax));
};

export function prepareWasm(): void {
  /* eslint-disable @typescript-eslint/no-require-imports -- only this runtime pays for loading it */
  const wasm = require('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(prefix: string): void };
  const entry = require.resolve('@tensorflow/tfjs-backend-wasm');
  /* eslint-enable @typescript-eslint/no-require-imports */
  wasm.setWasmPaths(path.dirname(entry) + path.sep);
  prepareCpu();
  for (const kernelName of Object.keys(missing)) borrowFromCpu(kernelName);
  repairKernels('wasm', {
    BatchMatMul: matMulOfOneShape,
    Cast: castToTruth,
    ClipByValue: clipKeepingNaN,
    FloorDiv: floorDivToInteger,
  });
}

/** Registers a kernel that computes with the cpu backend's implementation over copies of the data. */
function borrowFromCpu(kernelName: string): void {
  if (getKernel(kernelName, 'wasm')) return;
  const { kernelFunc } = getKernel(kernelName, 'cpu');
  registerKernel({
    kernelName,
    backendName: 'wasm',
    kernelFunc: ({ inputs, attrs, backend }) => {
      const wasm = backend as KernelBackend;
      const cpu = findBackend('cpu');
      const lent = Object.entries(inputs).map(([name, info]) => {
        const { dataId, shape, dtype } = info as TensorInfo;
        return [name, { dataId: cpu.write(wasm.readSync(dataId), shape, dtype), shape, dtype }] as const;
      });
      const { dataId, shape, dtype } = kernelFunc({
        inputs: Object.fromEntries(lent),
        attrs,
        backend: cpu,
      }) as TensorInfo;
      const result = { dataId: wasm.write(cpu.readSync(dataId), shape, dtype), shape, dtype };
      for (const id of [dataId, ...lent.map(([, info]) => info.dataId)]) cpu.disposeData(id, true);
      return result;
    },
  });
}
