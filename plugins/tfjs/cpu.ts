// The plain JavaScript backend, and what is wrong with it.

import type { KernelBackend, TensorInfo } from '@tensorflow/tfjs-core';
import { type Repair, repairKernels } from './repair';

export function prepareCpu(): void {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- only who runs on it pays for loading it
  require('@tensorflow/tfjs-backend-cpu');
  repairKernels('cpu', { TensorScatterUpdate: onACopy });
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
