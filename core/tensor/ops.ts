// Ops of our own, as models and losses call them.

import {
  cast,
  div,
  engine,
  equal,
  exp,
  expandDims,
  getKernel,
  log,
  max,
  neg,
  range,
  softplus,
  sub,
  sum,
  type Tensor,
  type TensorInfo,
  transpose,
  where,
  zerosLike,
} from '@tensorflow/tfjs-core';
import type { PartitionSpec } from '../runtime';
import { runOwn, type StorageType } from './own-ops';
import { byPosition } from './own-rules';
import { bernoulli } from './random';

/**
 * Einstein summation with explicit result: `einsum('bqhd,bkhd->bhqk', q, k)`. float32; one operand or two. Letters of
 * both operands that the result lacks are contracted, letters of one operand that the result lacks are summed.
 * Differentiable, any number of times. No ellipsis and no letter twice in an operand.
 */
export function einsum(equation: string, a: Tensor, b?: Tensor): Tensor {
  return b ? runOwn('Einsum', { a, b }, { equation }) : einsumOfOne(equation, a);
}

function einsumOfOne(equation: string, x: Tensor): Tensor {
  const [letters = '', out = ''] = equation.replace(/\s/g, '').split('->');
  const known =
    /^[a-zA-Z]*->[a-zA-Z]*$/.test(equation.replace(/\s/g, '')) && [...out].every((l) => letters.includes(l));
  const distinct =
    new Set(letters).size === x.rank && letters.length === x.rank && new Set(out).size === out.length;
  if (!known || !distinct)
    throw new Error(`einsum: "${equation}" doesn't fit one operand of shape [${x.shape.join(', ')}]`);
  const summed = [...letters].flatMap((letter, i) => (out.includes(letter) ? [] : [i]));
  const kept = [...letters].filter((letter) => out.includes(letter));
  const reduced = summed.length > 0 ? sum(x, summed) : x;
  return transpose(
    reduced,
    [...out].map((letter) => kept.indexOf(letter)),
  );
}

/**
 * Gaussian error linear unit of a float tensor of any shape (Hendrycks & Gimpel, arXiv:1606.08415). The tanh
 * approximation unless `approximate` is false, as in flax.
 */
export function gelu(x: Tensor, approximate = true): Tensor {
  return runOwn('Gelu', { x }, { approximate });
}

/**
 * log(1 / (1 + exp(-x))) as -softplus(-x): neither overflows nor rounds to log 0. tfjs's own loses its gradient on
 * eager backends, since it doesn't save x for it.
 */
export function logSigmoid(x: Tensor): Tensor {
  return neg(softplus(neg(x)));
}

/**
 * The logarithm of softmax along an axis, as JAX has it. tfjs's own knows the last axis alone, and has a wrong second
 * derivative.
 */
export function logSoftmax(logits: Tensor, axis = -1): Tensor {
  const shifted = sub(logits, stopGradient(max(logits, axis, true)));
  return sub(shifted, log(sum(exp(shifted), axis, true)));
}

/** Inverse of erf on [-1, 1], elementwise, float32. */
export function erfInv(x: Tensor): Tensor {
  return runOwn('ErfInv', { x }, {});
}

/**
 * Zeroes each value with probability `rate` and scales the others by 1 / (1 - rate), as flax's Dropout does
 * (Srivastava et al., JMLR 15, 2014). Along `broadcastDims` (negative: from the last) values share one draw. x: float, any
 * shape; key: int32 [2].
 */
export function dropout(x: Tensor, rate: number, key: Tensor, broadcastDims: readonly number[] = []): Tensor {
  if (rate === 0) return x;
  if (rate === 1) return zerosLike(x);
  const keep = 1 - rate;
  const shared = broadcastDims.map((dim) => (dim < 0 ? dim + x.rank : dim));
  const drawn = x.shape.map((size, dim) => (shared.includes(dim) ? 1 : size));
  return where(bernoulli(key, keep, drawn), div(x, keep), zerosLike(x));
}

/** x, as a constant for gradients: any dtype and shape. */
export function stopGradient<T extends Tensor>(x: T): T {
  // Runs tfjs's Identity outside of the gradient tape. A gradient of zeros would be right as well, but would drag the
  // whole backward pass of x along.
  const { backendName, backend } = engine();
  const identity = getKernel('Identity', backendName);
  if (!identity) throw new Error(`The backend "${backendName}" has no Identity kernel`);
  const info = identity.kernelFunc({ inputs: { x }, attrs: {}, backend });
  return engine().makeTensorFromTensorInfo(info as TensorInfo) as T;
}

/**
 * x stored as bfloat16, float16 or float32. tfjs goes on calling it float32; ops on it compute and store in that type
 * as JAX would. Eager runtimes have float32 alone and ignore it. The gradient has the storage of x.
 */
export function castStorage(x: Tensor, storage: StorageType): Tensor {
  return runOwn('CastStorage', { x }, { storage });
}

/**
 * x, sharded as `spec` says from here on; the gradient too. Models give logical names of dimensions (`act_batch`), which
 * the run's `sharding_rules` turn into mesh axes; what has no rule isn't split. Nothing happens on one device.
 */
export function shardingConstraint(x: Tensor, spec: PartitionSpec): Tensor {
  return runOwn('ShardingConstraint', { x }, { spec });
}

/** The tensors as they are; the compiler computes none of them before all are there, nor merges across. */
export function optimizationBarrier(tensors: readonly Tensor[]): Tensor[] {
  return [...runOwn('OptimizationBarrier', byPosition(tensors), {})];
}

/** The identity, float32 [n, n]. tfjs's own is filled on the host: n^2 numbers would be an argument of every step. */
export function eye(n: number): Tensor {
  const index = range(0, n, 1, 'int32');
  return cast(equal(expandDims(index, 1), index), 'float32');
}
