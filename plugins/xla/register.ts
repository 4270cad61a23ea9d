// Tells tfjs of the backend and its kernels. Every kernel name that tfjs has is registered, so that one without a
// lowering fails with our error and not with tfjs's.

import { registerBackend, registerKernel, removeBackend, setBackend } from '@tensorflow/tfjs-core';
import type { XlaBackend } from './backend';
import { lowerings } from './kernels';

export const backendName = 'xla';
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
  removeOld();
  registerBackend(backendName, () => backend);
  await setBackend(backendName);
}

/** tfjs forgets the backend, and disposes of it. */
export function deactivate(): void {
  removeBackend(backendName);
}

function removeOld(): void {
  try {
    removeBackend(backendName);
  } catch {
    // There was none.
  }
}
