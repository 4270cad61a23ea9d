// Prefix combinations in logarithmic depth.

import { concat, pad, reshape, reverse as flip, slice, stack, type Tensor } from '@tensorflow/tfjs-core';
import { flatten, type Tree, unflatten } from '../tree';

/**
 * All prefixes of xs combined by an associative function: `x0`, `f(x0, x1)`, `f(f(x0, x1), x2)`, ...; as
 * jax.lax.associative_scan, in about 2 log2(length) vectorised steps (Blelloch, "Prefix Sums and Their Applications",
 * 1990). Differentiable.
 *
 * @param combine of two trees like xs whose leaves are slices of some length along the axis: elementwise along it
 * @param xs a tree of numbers (float32 or int32), all of the same length along `axis`
 * @param options `reverse`: suffixes instead, where f gets the later elements first
 */
export function associativeScan<X extends Tree<Tensor>>(
  combine: (a: X, b: X) => X,
  xs: X,
  { axis = 0, reverse = false }: { readonly axis?: number; readonly reverse?: boolean } = {},
): X {
  const { leaves, treedef } = flatten<Tensor>(xs);
  const lengths = new Set(leaves.map((x) => x.shape[axisOf(x, axis)]));
  if (lengths.size > 1) {
    throw new Error(`associativeScan: the lengths along axis ${axis} differ: ${[...lengths].join(', ')}`);
  }
  const both = (a: readonly Tensor[], b: readonly Tensor[]) =>
    flatten<Tensor>(combine(unflatten(treedef, a) as X, unflatten(treedef, b) as X)).leaves;
  const turn = (x: Tensor) => (reverse ? flip(x, axisOf(x, axis)) : x);
  const prefixes = scanList(both, leaves.map(turn), axis);
  return unflatten(treedef, prefixes.map(turn)) as X;
}

type Combine = (a: readonly Tensor[], b: readonly Tensor[]) => Tensor[];

function scanList(combine: Combine, xs: readonly Tensor[], axis: number): readonly Tensor[] {
  const [first] = xs;
  const length = first ? (first.shape[axisOf(first, axis)] as number) : 0;
  if (length < 2) return xs;
  const half = Math.floor(length / 2);
  const evens = xs.map((x) => everySecond(x, axis, 0));
  const odds = xs.map((x) => everySecond(x, axis, 1));
  // Pairs, whose prefixes are those at the odd places.
  const atOdd = scanList(
    combine,
    combine(
      evens.map((x) => part(x, axis, 0, half)),
      odds,
    ),
    axis,
  );
  const rest = evens.map((x) => part(x, axis, 1, length - half - 1));
  const before = atOdd.map((x) => part(x, axis, 0, length - half - 1));
  const later = length > 2 ? combine(before, rest) : [];
  const atEven = evens.map((x, i) => {
    const head = part(x, axis, 0, 1);
    return length > 2 ? concat([head, later[i] as Tensor], axisOf(x, axis)) : head;
  });
  return atEven.map((x, i) => interleave(x, atOdd[i] as Tensor, axis));
}

const axisOf = ({ rank }: Tensor, axis: number): number => (axis < 0 ? axis + rank : axis);

/** `length` elements along the axis. */
function part(x: Tensor, axis: number, start: number, length: number): Tensor {
  const along = axisOf(x, axis);
  return slice(
    x,
    x.shape.map((_, i) => (i === along ? start : 0)),
    x.shape.map((size, i) => (i === along ? length : size)),
  );
}

function padEnd(x: Tensor, axis: number, by: number): Tensor {
  const along = axisOf(x, axis);
  return by === 0
    ? x
    : pad(
        x,
        x.shape.map((_, i) => [0, i === along ? by : 0]),
      );
}

/** Every second element along the axis, from `offset` (0 or 1) on. */
function everySecond(x: Tensor, axis: number, offset: 0 | 1): Tensor {
  const along = axisOf(x, axis);
  const length = x.shape[along] as number;
  const pairs = Math.ceil(length / 2);
  const [before, after] = [x.shape.slice(0, along), x.shape.slice(along + 1)];
  const paired = reshape(padEnd(x, along, length % 2), [...before, pairs, 2, ...after]);
  const one = reshape(part(paired, along + 1, offset, 1), [...before, pairs, ...after]);
  return part(one, along, 0, Math.floor((length + 1 - offset) / 2));
}

/** The elements of both in turn, `evens` first. */
function interleave(evens: Tensor, odds: Tensor, axis: number): Tensor {
  const along = axisOf(evens, axis);
  const [even, odd] = [evens.shape[along] as number, odds.shape[along] as number];
  const paired = stack([evens, padEnd(odds, along, even - odd)], along + 1);
  const shape = evens.shape.map((size, i) => (i === along ? 2 * even : size));
  return part(reshape(paired, shape), along, 0, even + odd);
}
