// The native TensorFlow backend, for those who have it: an optional dependency whose install downloads a library.

import util from 'node:util';
import { catalogue } from '../../core/errors';
import { registerTfjsGradients } from '../../core/tensor/tfjs-gradients';

const errors = catalogue('runtime', {
  noTensorflow: (v: { problem: string }) => ({
    what: `The tensorflow runtime needs @tensorflow/tfjs-node-gpu or @tensorflow/tfjs-node, and neither loads (${v.problem}).`,
    fix: 'npm install @tensorflow/tfjs-node-gpu@4.22.0, or run on xla.',
  }),
});

const packages = ['@tensorflow/tfjs-node-gpu', '@tensorflow/tfjs-node'];

export function prepareTensorflow(): void {
  // oneDNN's matmuls on several threads break when a signal interrupts them.
  process.env.TF_NUM_INTRAOP_THREADS ??= '1';
  // TensorFlow's notices of what it is doing aren't for users; its warnings are.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= '1';
  restoreUtil();
  const problems = packages.map(problemOf);
  if (problems.every((problem) => problem !== undefined)) {
    throw errors.noTensorflow({ problem: problems[0] as string });
  }
  // The package brings tfjs's own gradients along, in the place of ours.
  registerTfjsGradients();
}

/** tfjs-node calls functions of `util` that Node 23 removed. */
function restoreUtil(): void {
  const old = util as unknown as Record<string, unknown>;
  old.isNullOrUndefined ??= (value: unknown) => value === null || value === undefined;
  old.isArray ??= Array.isArray;
}

/** Loads the package; what went wrong, or undefined. */
function problemOf(name: string): string | undefined {
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- optional, and found at run time
    require(name);
    return undefined;
  } catch (error) {
    return (error as Error).message.split('\n')[0];
  }
}
