import { getKernel, type KernelFunc, registerKernel, unregisterKernel } from '@tensorflow/tfjs-core';

/** A kernel that is right, from the backend's own. */
export type Repair = (original: KernelFunc) => KernelFunc;

/** Puts the repairs in the place of the backend's own kernels. */
export function repairKernels(backendName: string, repairs: Readonly<Record<string, Repair>>): void {
  for (const [kernelName, repair] of Object.entries(repairs)) {
    const original = getKernel(kernelName, backendName);
    unregisterKernel(kernelName, backendName);
    registerKernel({ ...original, kernelFunc: repair(original.kernelFunc) });
  }
}
