// The WebAssembly backend in Node: its binaries are in its package, and what it lacks runs on the cpu backend.

import path from 'node:path';
import {
  findBackend,
  getKernel,
  type KernelBackend,
  registerKernel,
  type TensorInfo,
} from '@tensorflow/tfjs-core';

/** Kernels that tfjs's wasm backend doesn't have and the stock trainer reaches, each with who asks for it. */
const missing = {
  UnsortedSegmentSum: 'the gradient of gather',
  Conv2DBackpropFilter: 'the gradient of conv2d',
  DepthwiseConv2dNativeBackpropFilter: 'the gradient of depthwiseConv2d',
  DepthwiseConv2dNativeBackpropInput: 'the gradient of depthwiseConv2d',
} as const;

export function prepareWasm(): void {
  /* eslint-disable @typescript-eslint/no-require-imports -- only this runtime pays for loading it */
  const wasm = require('@tensorflow/tfjs-backend-wasm') as { setWasmPaths(prefix: string): void };
  require('@tensorflow/tfjs-backend-cpu');
  const entry = require.resolve('@tensorflow/tfjs-backend-wasm');
  /* eslint-enable @typescript-eslint/no-require-imports */
  wasm.setWasmPaths(path.dirname(entry) + path.sep);
  for (const kernelName of Object.keys(missing)) borrowFromCpu(kernelName);
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
