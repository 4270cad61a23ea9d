// What the backward pass may keep of a forward pass that it otherwise computes again: jax.checkpoint_policies' names.

import { backend_util } from '@tensorflow/tfjs-core';
import { parseEinsum } from './einsum';
import { ownKernelName } from './own-ops';
import type { KernelCall, Saves } from './regions';

/** Kernels that only move or spread what they get: their results cost memory and hardly any time. */
const cheap = new Set(
  [
    'Reshape',
    'ExpandDims',
    'Transpose',
    'BroadcastTo',
    'Tile',
    'Cast',
    'ZerosLike',
    'OnesLike',
    'Slice',
  ].concat(
    ['Concat', 'Pack', 'Unpack', 'SplitV', 'Reverse', 'PadV2', 'StridedSlice', 'SpaceToBatchND'],
    ['CastStorage', 'CastStorageLike', 'ShardingConstraint', 'OptimizationBarrier'].map((op) => `Bv${op}`),
  ),
);

const isDot = ({ kernel }: KernelCall) => kernel === 'BatchMatMul' || kernel === ownKernelName('Einsum');

function hasBatchDims({ kernel, inputs, attrs }: KernelCall): boolean {
  if (kernel !== 'BatchMatMul') {
    return parseEinsum((attrs as { readonly equation: string }).equation).batch.length > 0;
  }
  const { a, b } = inputs as { a: { shape: readonly number[] }; b: { shape: readonly number[] } };
  const shape = backend_util.assertAndGetBroadcastShape(a.shape.slice(0, -2), b.shape.slice(0, -2));
  return shape.some((size) => size !== 1);
}

const everything: Saves = ({ kernel }) => !cheap.has(kernel);
const nothing: Saves = () => false;

const policies = {
  /** Nothing is computed again. */
  none: everything,
  everything_saveable: everything,
  nothing_saveable: nothing,
  /** Results of matrix products. */
  dots_saveable: isDot,
  checkpoint_dots: isDot,
  /** Results of products of activations with weights, most often: the two have no batch dimension in common. */
  dots_with_no_batch_dims_saveable: (call) => isDot(call) && !hasBatchDims(call),
  checkpoint_dots_with_no_batch_dims: (call) => isDot(call) && !hasBatchDims(call),
} satisfies Record<string, Saves>;

export type RematPolicy = keyof typeof policies;

export const rematPolicies = Object.keys(policies) as [RematPolicy, ...RematPolicy[]];

/** What the policy lets the backward pass keep, cheap kernels aside. */
export const savesOf = (policy: RematPolicy): Saves => policies[policy];

/** Whether the policy leaves nothing to be computed again. */
export const keepsAll = (policy: RematPolicy): boolean => policies[policy] === everything;
