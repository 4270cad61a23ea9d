// Kernels of our own, for what tfjs has none: the signatures. Every table over them is a mapped type, so an op that
// lacks a shape rule, a gradient, an eager fallback (own-rules.ts) or an XLA lowering doesn't compile.

import { engine, type NamedAttrMap, type NamedTensorMap, type Tensor } from '@tensorflow/tfjs-core';
import type { PartitionSpec } from '../runtime';

/** How a tensor that tfjs calls float32 is stored. Eager runtimes know float32 only and ignore the others. */
export type StorageType = 'float32' | 'bfloat16' | 'float16';

/**
 * The ops: input names, attributes, and whether the kernel has one result or a list. "Bits" are uint32 in int32
 * tensors: tfjs has no unsigned dtype, so a lowering reinterprets (bitcast), never converts.
 */
export interface OwnOps {
  /**
   * Contraction of two float operands: `bqhd,bkhd->bhqk`. A letter in both operands and the result is a batch
   * dimension, one in both operands alone is contracted, one in a single operand alone is summed there. `parseEinsum`
   * (einsum.ts) sorts the letters. No ellipsis, no letter twice in an operand, `->` is required. Accumulates in
   * float32; operands of different storage promote as in JAX, and the result has the promoted storage.
   */
  Einsum: { inputs: 'a' | 'b'; attrs: { readonly equation: string }; results: 'one' };

  /**
   * Gaussian error linear unit (Hendrycks & Gimpel, arXiv:1606.08415), any shape. Approximate, in JAX's order of
   * operations: x * (0.5 * (1 + tanh(c * (x + 0.044715 * (x * x * x))))), c = float32(sqrt(2 / pi)). Exact:
   * (0.5 * x) * erfc(-x * float32(sqrt(0.5))).
   */
  Gelu: { inputs: 'x'; attrs: { readonly approximate: boolean }; results: 'one' };

  /** Inverse of erf on [-1, 1], elementwise; infinite at the ends. `chlo.erf_inv`. */
  ErfInv: { inputs: 'x'; attrs: NoAttrs; results: 'one' };

  /**
   * Threefry-2x32 (Salmon et al., SC11: "Parallel random numbers: as easy as 1, 2, 3"), 20 rounds, of every pair of
   * counters under every key. key: int32 [...keys, 2]; counters: int32 [n, 2], a pair (x0, x1) in each row; result:
   * int32 [...keys, n, 2].
   */
  ThreefryHash: { inputs: 'key' | 'counters'; attrs: NoAttrs; results: 'one' };

  /**
   * JAX's partitionable random bits. key: int32 [...keys, 2] (most often one key, [2]); result: int32
   * [...keys, ...shape]. With i the element's row-major index in `shape` as a 64-bit number and (y0, y1) =
   * ThreefryHash(key, (i >> 32, i & 0xffffffff)), the element is y0 XOR y1. Lower i from one iota for each dimension
   * (sum of iota * stride), so that a sharded result needs no communication.
   */
  ThreefryBits: { inputs: 'key'; attrs: { readonly shape: readonly number[] }; results: 'one' };

  /**
   * JAX's uniform: bits (int32, any shape) to float32 in [min, max), two float32 numbers. With unit =
   * bitcast((bits >>> 9) | 0x3f800000) - 1: max(min, unit * float32(max - min) + min). For 0 and 1 that is unit itself.
   * One op, so that a fallback can round the product and the sum once, as XLA does on CPU.
   */
  BitsToUniform: {
    inputs: 'bits';
    attrs: { readonly min: number; readonly max: number };
    results: 'one';
  };

  /**
   * JAX's randint: two tensors of bits to int32 in [min, min + span), 0 < span < 2^32. In wrapping uint32 arithmetic,
   * with m = (2^16 mod span)^2 mod span: min + ((higher mod span) * m + (lower mod span)) mod span.
   */
  BitsToInteger: {
    inputs: 'higher' | 'lower';
    attrs: { readonly min: number; readonly span: number };
    results: 'one';
  };

  /** Indices (int32) that sort the last dimension of bits ascending as uint32, stably: a sort of (bits, iota). */
  ArgsortBits: { inputs: 'bits'; attrs: NoAttrs; results: 'one' };

  /** Converts the storage of a float tensor; tfjs still sees float32. The gradient converts back. */
  CastStorage: { inputs: 'x'; attrs: { readonly storage: StorageType }; results: 'one' };

  /** x in the storage of `like`, whose values and shape don't matter. */
  CastStorageLike: { inputs: 'x' | 'like'; attrs: NoAttrs; results: 'one' };

  /** x, which the partitioner must shard as `spec` says. The gradient is constrained alike, as in JAX. */
  ShardingConstraint: { inputs: 'x'; attrs: { readonly spec: PartitionSpec }; results: 'one' };

  /**
   * Inputs x0, x1, ... as they are, in that order; the compiler moves nothing across, and computes none of the results
   * before all inputs are there. `stablehlo.optimization_barrier`.
   */
  OptimizationBarrier: { inputs: `x${number}`; attrs: NoAttrs; results: 'list' };
}

export type OwnOp = keyof OwnOps;
export type NoAttrs = Readonly<Record<string, never>>;
export type OwnAttrs<K extends OwnOp> = OwnOps[K]['attrs'];
/** The op's inputs by name, as tensors, shapes, or a lowering's values. */
export type OwnInputs<K extends OwnOp, T> = Readonly<Record<OwnOps[K]['inputs'], T>>;
/** The op's result, or its list of results. */
export type OwnResults<K extends OwnOp, T> = OwnOps[K]['results'] extends 'list' ? readonly T[] : T;

/** The kernel's name in tfjs's registry: `BvEinsum`. */
export type OwnKernelName<K extends OwnOp = OwnOp> = `Bv${K}`;

export function ownKernelName<K extends OwnOp>(op: K): OwnKernelName<K> {
  return `Bv${op}`;
}

/** Runs the kernel of the active backend; on the gradient tape if there is one. */
export function runOwn<K extends OwnOp>(
  op: K,
  inputs: OwnInputs<K, Tensor>,
  attrs: OwnAttrs<K>,
): OwnResults<K, Tensor> {
  return engine().runKernel(
    ownKernelName(op),
    inputs as NamedTensorMap,
    attrs as unknown as NamedAttrMap,
  ) as unknown as OwnResults<K, Tensor>;
}
