// How the gradient of a kernel of tfjs is written down: what is saved on the way forward, and the gradient by each input.

import {
  cast,
  engine,
  type NamedAttrMap,
  type NamedTensorMap,
  registerGradient,
  reshape,
  sum,
  type SumAttrs,
  type Tensor,
  util,
  zeros,
} from '@tensorflow/tfjs-core';

type Gradients = Record<string, () => Tensor>;

/** A kernel's gradient from what is saved: the inputs named in `inputs`, then the result if `result`. */
export function rule<Attrs>(
  kernelName: string,
  saved: { readonly inputs?: readonly string[]; readonly result?: boolean; readonly allInputs?: boolean },
  grad: (dy: Tensor, saved: Tensor[], attrs: Attrs) => Gradients,
): void {
  registerGradient({
    kernelName,
    inputsToSave: [...(saved.inputs ?? [])],
    outputsToSave: saved.result ? [true] : [],
    saveAllInputs: saved.allInputs ?? false,
    gradFunc: (dy, values, attrs) => grad(dy as Tensor, values, attrs as unknown as Attrs),
  });
}

/** Kernels of one input `x`: from x, or from the result y. */
export const fromInput = <Attrs>(
  kernel: string,
  grad: (dy: Tensor, x: Tensor, attrs: Attrs) => Tensor,
  input = 'x',
) =>
  rule<Attrs>(kernel, { inputs: [input] }, (dy, [x], attrs) => ({
    [input]: () => grad(dy, x as Tensor, attrs),
  }));
/**
 * The saved result is a copy that tfjs puts on the tape before the kernel itself, so that an outer tape would take it for
 * a constant and give a wrong second derivative. Under two tapes the input is saved too, and the result computed again.
 */
export const fromResult = <Attrs>(
  kernelName: string,
  grad: (dy: Tensor, y: Tensor, attrs: Attrs) => Tensor,
  input = 'x',
) =>
  registerGradient({
    kernelName,
    get inputsToSave() {
      return engine().state.gradientDepth > 1 ? [input] : [];
    },
    outputsToSave: [true],
    gradFunc: (dy, saved, attrs) => {
      const [first, second] = saved as [Tensor, Tensor?];
      const y = () => (second ? run(kernelName, { [input]: first }, attrs) : first);
      return { [input]: () => grad(dy as Tensor, y(), attrs as unknown as Attrs) };
    },
  });
export const fromNothing = <Attrs>(kernel: string, grad: (dy: Tensor, attrs: Attrs) => Tensor, input = 'x') =>
  rule<Attrs>(kernel, {}, (dy, _saved, attrs) => ({ [input]: () => grad(dy, attrs) }));

export type Partial2 = (dy: Tensor, a: Tensor, b: Tensor) => Tensor;
/** Kernels of two inputs that broadcast against each other. */
export const binary = (kernel: string, gradA: Partial2, gradB: Partial2) =>
  rule(kernel, { inputs: ['a', 'b'] }, (dy, [a, b]) => ({
    a: () => sumTo(gradA(dy, a as Tensor, b as Tensor), (a as Tensor).shape),
    b: () => sumTo(gradB(dy, a as Tensor, b as Tensor), (b as Tensor).shape),
  }));

/** Kernels that are constant almost everywhere. */
export const flat = (kernel: string, ...inputs: readonly string[]) =>
  rule(kernel, { inputs }, (_dy, saved) =>
    Object.fromEntries(inputs.map((name, i) => [name, () => zeros((saved[i] as Tensor).shape)])),
  );

/** Undoes broadcasting: x summed over the axes in which `shape` was stretched. Always a tensor of its own. */
export function sumTo(x: Tensor, shape: readonly number[]): Tensor {
  const lead = x.rank - shape.length;
  const axes = x.shape.flatMap((size, axis) => (axis < lead || shape[axis - lead] !== size ? [axis] : []));
  return reshape(axes.length > 0 ? sum(x, axes) : x, shape as number[]);
}

/** A reduction's result or its gradient, with the reduced axes back as ones. */
export function keepDims(y: Tensor, x: Tensor, axis: SumAttrs['axis']): Tensor {
  const reduced = util.parseAxisParam(axis as number, x.shape);
  return reshape(
    y,
    x.shape.map((size, i) => (reduced.includes(i) ? 1 : size)),
  );
}

export function sizeOfReduced(x: Tensor, axis: SumAttrs['axis']): number {
  return util.parseAxisParam(axis as number, x.shape).reduce((size, i) => size * (x.shape[i] as number), 1);
}

export const float = (condition: Tensor) => cast(condition, 'float32');
export const run = (kernel: string, inputs: NamedTensorMap, attrs: object): Tensor =>
  engine().runKernel(kernel, inputs, attrs as NamedAttrMap) as Tensor;
