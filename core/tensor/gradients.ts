// Gradients of functions, as tfjs has them, except that what the result doesn't depend on has a gradient of zeros, as in
// JAX: tfjs throws, and a model may well have a parameter that this loss doesn't use.

import { engine, type Tensor, tidy, util, zerosLike } from '@tensorflow/tfjs-core';

/**
 * f's value and its gradients by all of its arguments. f returns a scalar; with `dy`, a tensor of that shape, it is
 * sum(f * dy) that is differentiated.
 */
export function valueAndGrads<O extends Tensor>(
  f: (...args: Tensor[]) => O,
): (args: Tensor[], dy?: O) => { value: O; grads: Tensor[] } {
  return (args, dy) => {
    const checked = () => {
      const y = f(...args);
      if (dy) util.assertShapesMatch(y.shape, dy.shape, 'dy must have the shape of the result: ');
      return y;
    };
    const { value, grads } = engine().gradients(checked, args, dy, true);
    // The type doesn't say that there may be none.
    const found = grads as readonly (Tensor | undefined)[];
    return { value, grads: found.map((grad, i) => grad ?? zerosLike(args[i] as Tensor)) };
  };
}

/** f's value and its gradient, for a function of one tensor. */
export function valueAndGrad<I extends Tensor, O extends Tensor>(
  f: (x: I) => O,
): (x: I, dy?: O) => { value: O; grad: I } {
  const both = valueAndGrads<O>((x) => f(x as I));
  return (x, dy) => {
    const { value, grads } = both([x], dy);
    return { value, grad: grads[0] as I };
  };
}

/** f's gradient alone, for a function of one tensor. */
export function grad(f: (x: Tensor) => Tensor): (x: Tensor, dy?: Tensor) => Tensor {
  const both = valueAndGrads(f);
  return (x, dy) => tidy(() => both([x], dy).grads[0] as Tensor);
}
