// Tells tfjs of the backend and its kernels. Every kernel name that tfjs has is registered, so that one without a
// lowering fails with our error and not with tfjs's.

import {
  findBackend,
  registerBackend,
  registerKernel,
  removeBackend,
  setBackend,
} from '@tensorflow/tfjs-core';
import type { XlaBackend } from './backend';
import { lowerings } from './kernels';

const backendName = 'xla';
let kernelsAreRegistered = false;

function registerKernels(): void {
  if (kernelsAreRegistered) return;
  kernelsAreRegistered = true;
  for (const kernelName of lowerings.keys()) {
    registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs, attrs, backend }) =>
        (backend as XlaBackend).runKernel(kernelName, inputs, attrs),
    });
  }
}

/** Makes `backend` the one that tfjs uses. */
export async function activate(backend: XlaBackend): Promise<void> {
  registerKernels();
  // The backend of an earlier runtime that is still there.
  if (findBackend(backendName)) removeBackend(backendName);
  registerBackend(backendName, () => backend);
  await setBackend(backendName);
}

/** tfjs forgets the backend, and disposes of it; unless another one has taken its place. */
export function deactivate(backend: XlaBackend): void {
  if (findBackend(backendName) === backend) removeBackend(backendName);
}
