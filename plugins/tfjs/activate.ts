import { engine, setBackend } from '@tensorflow/tfjs-core';

/** Makes a backend that has been started tfjs's current one, at once. */
export function activate(backendName: string): void {
  // An async function, but for a backend that is there it is done when it returns.
  if (engine().backendName !== backendName) void setBackend(backendName);
}

let depth = 0;

/** Whether a runtime's function is under way: what it calls is part of it, and stays on its backend. */
export function underWay(): boolean {
  return depth > 0;
}

export function whileUnderWay<R>(run: () => R): R {
  depth++;
  try {
    return run();
  } finally {
    depth--;
  }
}
