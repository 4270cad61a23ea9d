import { engine, setBackend } from '@tensorflow/tfjs-core';

/** Makes a backend that has been started tfjs's current one, at once. */
export function activate(backendName: string): void {
  // An async function, but for a backend that is there it is done when it returns.
  if (engine().backendName !== backendName) void setBackend(backendName);
}
