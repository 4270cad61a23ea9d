// tfjs's gradient tape, as far as ops with bodies need it: running a body off the tape while learning which tensors it
// uses, recording the whole as one node, and gradients of functions with many results. A body uses outer tensors by
// reference, as closures do, so that they need no other name in the backward pass.

import { clone, engine, fill, scalar, type Tensor } from '@tensorflow/tfjs-core';
import { byPosition } from './own-rules';

const state = () => engine().state;

/** Whether what runs now is recorded. */
export const tapeIsOn = (): boolean => state().gradientDepth > 0 && state().kernelDepth === 0;

/** Runs with a tape of its own or, at depth 0, with none. */
function withTape<R>(depth: 0 | 1, run: () => R): R {
  const { activeTape, gradientDepth, kernelDepth } = state();
  // Inside a kernel tfjs records nothing, so a gradient taken there would be lost.
  Object.assign(state(), { activeTape: [], gradientDepth: depth, kernelDepth: 0 });
  try {
    return run();
  } finally {
    Object.assign(state(), { activeTape, gradientDepth, kernelDepth });
  }
}

export const offTape = <R>(run: () => R): R => withTape(0, run);

/** Runs off the tape, and tells which tensors that were there before it depends on. */
export function withFreeTensors<R>(run: () => R): { readonly result: R; readonly free: Tensor[] } {
  const firstId = newestId() + 1;
  return withTape(1, () => {
    const result = run();
    const free = new Map<number, Tensor>();
    for (const { inputs, saved } of state().activeTape) {
      for (const input of Object.values(inputs)) if (input.id < firstId) free.set(input.id, input);
      for (const tensor of saved ?? []) tensor.dispose();
    }
    return { result, free: [...free.values()] };
  });
}

/** Tensors are numbered in the order in which they are made. */
function newestId(): number {
  const probe = scalar(0);
  const { id } = probe;
  probe.dispose();
  return id;
}

/** A node's gradients, from those of its outputs: null where an output has none. `wanted`: inputs that need theirs. */
export type NodeGradient = (
  dys: readonly (Tensor | null)[],
  wanted: readonly boolean[],
) => readonly (Tensor | undefined)[];

/** Records that `outputs` were computed from `inputs`. */
export function putOnTape(
  name: string,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  gradient: NodeGradient,
): void {
  state().activeTape.push({
    id: state().nextTapeNodeId++,
    kernelName: name,
    inputs: byPosition(inputs),
    outputs: [...outputs],
    saved: [],
    // Called as a method of a copy of the node that has only those inputs that need a gradient.
    gradient(dys) {
      const wanted = inputs.map((input, i) => input.dtype === 'float32' && `x${i}` in this.inputs);
      // At once, since tfjs disposes of what one input's gradient makes before it asks for the next.
      const grads = gradient(dys, wanted);
      return byPosition(
        inputs.map(
          ({ shape }, i) =>
            () =>
              grads[i] ?? fill(shape, 0),
        ),
      );
    },
  });
}

/**
 * Gradients by `xs` of a function's results, weighted by `dys` (null: the result doesn't matter); undefined where the
 * results don't depend on an x.
 */
export function pullBack(
  run: () => readonly Tensor[],
  xs: readonly Tensor[],
  dys: readonly (Tensor | null)[],
): (Tensor | undefined)[] {
  if (xs.length === 0) return [];
  const { activeTape: outer, gradientDepth } = state();
  // Of its own, since one x may have been computed from another: that isn't part of the function. It is appended to the
  // tape of an outer gradient, if there is one that is still recording; tfjs drops the tape of the outermost.
  state().activeTape = [];
  try {
    const { grads } = engine().gradients(() => joined(run(), dys), [...xs], undefined, true);
    return grads as (Tensor | undefined)[];
  } finally {
    if (gradientDepth > 0) outer.push(...state().activeTape);
    state().activeTape = outer;
  }
}

/** A scalar whose gradients by the results are `dys`. */
function joined(results: readonly Tensor[], dys: readonly (Tensor | null)[]): Tensor {
  const used = results.flatMap((result, i) => {
    const dy = dys[i];
    return dy ? [{ result, dy }] : [];
  });
  const scalarResult = scalar(0);
  const inputs = used.map(({ result }) => result);
  putOnTape('Joined', inputs, [scalarResult], () => used.map(({ dy }) => clone(dy)));
  return scalarResult;
}
