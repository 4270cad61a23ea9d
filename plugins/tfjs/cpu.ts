// The plain JavaScript backend, and what is wrong with it.

import { getKernel, type KernelBackend, type TensorInfo } from '@tensorflow/tfjs-core';
import { type Repair, repairKernels } from './repair';

let prepared = false;

export function prepareCpu(): void {
  if (prepared) return;
  prepared = true;
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- only who runs on it pays for loading it
  require('@tensorflow/tfjs-backend-cpu');
  repairKernels('cpu', { TensorScatterUpdate: onACopy, UnsortedSegmentSum: ofItsType });
}

/** It writes into its input. */
const onACopy: Repair =
  (original) =>
  ({ inputs, attrs, backend }) => {
    const cpu = backend as KernelBackend;
    const { dataId, shape, dtype } = inputs.tensor as TensorInfo;
    const copy = cpu.write((cpu.readSync(dataId) as Float32Array).slice(), shape, dtype);
    const result = original({
      inputs: { ...inputs, tensor: { dataId: copy, shape, dtype } },
      attrs,
      backend,
    });
    cpu.disposeData(copy, true);
    return result;
  };

/** Of int32 it makes float32. */
const ofItsType: Repair = (original) => (call) => {
  const result = original(call) as TensorInfo;
  const { dtype } = call.inputs.x as TensorInfo;
  if (result.dtype === dtype) return result;
  const { backend } = call;
  const own = getKernel('Cast', 'cpu').kernelFunc({ inputs: { x: result }, attrs: { dtype }, backend });
  (backend as KernelBackend).disposeData(result.dataId);
  return own;
};
