// Registers our kernels with tfjs: their gradients once, their eager fallbacks for each backend that has none.

import {
  getKernel,
  type GradConfig,
  registerGradient,
  registerKernel,
  type Tensor,
  tidy,
} from '@tensorflow/tfjs-core';
import { type OwnAttrs, type OwnInputs, ownKernelName, type OwnOp, type OwnResults } from './own-ops';
import { type OwnRule, ownRules, type Shaped } from './own-rules';

const ops = Object.keys(ownRules) as OwnOp[];

function registerOwnGradient<K extends OwnOp>(op: K, { gradient }: OwnRule<K>): void {
  if (!gradient) return;
  const names = gradient.from === 'inputs' ? Object.keys(gradient.saves) : [];
  const call = (dy: OwnResults<K, Tensor>, attrs: OwnAttrs<K>, saved: readonly Tensor[]) => {
    switch (gradient.from) {
      case 'dy':
        return gradient.grad(dy, attrs);
      case 'inputs': {
        const inputs = Object.fromEntries(names.map((name, i) => [name, saved[i] as Tensor]));
        return gradient.grad(dy, attrs, inputs as OwnInputs<K, Tensor>);
      }
    }
  };
  const gradFunc = (dy: Tensor | Tensor[], saved: Tensor[], attrs: unknown) => {
    // tfjs passes a list of one as its element.
    const dys = op === 'OptimizationBarrier' && !Array.isArray(dy) ? [dy] : dy;
    return call(dys as OwnResults<K, Tensor>, attrs as OwnAttrs<K>, saved);
  };
  registerGradient({
    kernelName: ownKernelName(op),
    inputsToSave: names,
    gradFunc: gradFunc as GradConfig['gradFunc'],
  });
}

function registerFallback<K extends OwnOp>(op: K, rule: OwnRule<K>, backendName: string): void {
  const kernelName = ownKernelName(op);
  if (getKernel(kernelName, backendName)) return;
  registerKernel({
    kernelName,
    backendName,
    kernelFunc: ({ inputs: infos, attrs: rawAttrs }) => {
      const attrs = rawAttrs as unknown as OwnAttrs<K>;
      // The engine passes what `runKernel` got: tensors.
      const inputs = infos as OwnInputs<K, Tensor>;
      rule.shape(inputs as OwnInputs<K, Shaped>, attrs);
      return tidy(() => rule.fallback(inputs, attrs) as Tensor | Tensor[]);
    },
  });
}

/** Gives an eager backend (`cpu`, `wasm`, `tensorflow`, a browser's) all of our kernels that it lacks. */
export function registerFallbacks(backendName: string): void {
  for (const op of ops) registerFallback(op, ownRules[op] as OwnRule<OwnOp>, backendName);
}

/** Called once, by the tensor module itself. */
export function registerOwnGradients(): void {
  for (const op of ops) registerOwnGradient(op, ownRules[op] as OwnRule<OwnOp>);
}
