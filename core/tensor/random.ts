// Random numbers with JAX's semantics (jax.random, Threefry-2x32, jax_threefry_partitionable): the same key gives the
// numbers that the original gets, on any number of devices. Keys are values: split or fold a key, and use each once.
//
// A key is either a HostKey (two plain numbers) or a traced key: an int32 tensor [2] with the same bits. What makes
// tensors takes traced keys, since a host key would be baked into the program; `keyArray` is how one gets in.
// Traced keys may have leading dimensions ([...keys, 2]): the results then have them too, as under jax.vmap.

import {
  add,
  argMax,
  concat,
  div,
  exp,
  gather,
  greater,
  greaterEqual,
  less,
  lessEqual,
  log,
  log1p,
  logicalAnd,
  logicalOr,
  maximum,
  minimum,
  mul,
  neg,
  onesLike,
  range,
  reshape,
  scalar,
  stack,
  sub,
  tensor,
  Tensor,
  unstack,
  where,
} from '@tensorflow/tfjs-core';
import { type HostArray, hostArray, sizeOf } from '../array';
import { erf32, nextAfter32 } from './float32';
import { gammaConstants, hostBeta, hostPermutation, shuffleRounds, squeeze } from './host-random';
import { runOwn } from './own-ops';
import { type HostKey, hostFoldIn, hostKey, hostSplit } from './threefry';

export { hostBits, hostUniform } from './host-random';
export type { HostKey } from './threefry';

type Shape = readonly number[];

// ---- keys --------------------------------------------------------------------------------------------------------

/** jax.random.PRNGKey(seed): the seed's low 32 bits. */
export function key(seed: number): HostKey {
  return hostKey(seed);
}

/** The key as an array (int32 [2]), to be copied to the device and passed to a jitted function. */
export function keyArray(key: HostKey): HostArray<'int32'> {
  return hostArray(
    'int32',
    [2],
    Int32Array.from(key, (word) => word | 0),
  );
}

/** `count` new keys: jax.random.split. */
export function split(key: HostKey, count?: number): HostKey[];
export function split(key: Tensor, count?: number): Tensor[];
export function split(key: HostKey | Tensor, count?: number): HostKey[] | Tensor[];
export function split(key: HostKey | Tensor, count = 2): HostKey[] | Tensor[] {
  if (key instanceof Tensor) return unstack(splitStacked(key, count), -2);
  return hostSplit(key, count);
}

/** `count` new keys as one tensor, int32 [...keys, count, 2]. */
export function splitStacked(key: Tensor, count: number): Tensor {
  const counters = Array.from({ length: count }, (_, i) => [0, i]).flat();
  return runOwn('ThreefryHash', { key, counters: tensor(counters, [count, 2], 'int32') }, {});
}

/** A new key of a key and 32 bits of data (an integer, or an int32 scalar such as the step): jax.random.fold_in. */
export function foldIn(key: HostKey, data: number): HostKey;
export function foldIn(key: Tensor, data: number | Tensor): Tensor;
export function foldIn(key: HostKey | Tensor, data: number | Tensor): HostKey | Tensor {
  if (!(key instanceof Tensor)) return hostFoldIn(key, data as number);
  const word = data instanceof Tensor ? reshape(data, [1]) : tensor([data | 0], [1], 'int32');
  const counters = reshape(concat([tensor([0], [1], 'int32'), word]), [1, 2]);
  return reshape(runOwn('ThreefryHash', { key, counters }, {}), key.shape);
}

// ---- distributions -----------------------------------------------------------------------------------------------

/** Random bits: uint32 in an int32 tensor of `shape`. */
export function bits(key: Tensor, shape: Shape): Tensor {
  return runOwn('ThreefryBits', { key }, { shape });
}

/** Uniform in [min, max), float32. */
export function uniform(key: Tensor, shape: Shape, min = 0, max = 1): Tensor {
  return runOwn(
    'BitsToUniform',
    { bits: bits(key, shape) },
    { min: Math.fround(min), max: Math.fround(max) },
  );
}

const sqrt2 = Math.fround(Math.SQRT2);

/** Normal with mean 0 and variance 1, float32. */
export function normal(key: Tensor, shape: Shape): Tensor {
  const u = uniform(key, shape, nextAfter32(-1, 0), 1);
  return mul(sqrt2, runOwn('ErfInv', { x: u }, {}));
}

/** Normal with mean 0 and variance 1, given that it lies in (lower, upper); float32. */
export function truncatedNormal(key: Tensor, lower: number, upper: number, shape: Shape): Tensor {
  const edge = (x: number) => erf32(Math.fround(Math.fround(x) / sqrt2));
  const u = uniform(key, shape, edge(lower), edge(upper));
  const values = mul(sqrt2, runOwn('ErfInv', { x: u }, {}));
  // Rounding must not reach the bounds.
  return minimum(maximum(values, nextAfter32(lower, Infinity)), nextAfter32(upper, -Infinity));
}

/** True with probability p: bool of `shape`. */
export function bernoulli(key: Tensor, p: number | Tensor, shape: Shape): Tensor {
  return less(uniform(key, shape), p);
}

/** Uniform integers in [min, max), int32. */
export function randint(key: Tensor, shape: Shape, min: number, max: number): Tensor {
  const [k1, k2] = split(key) as [Tensor, Tensor];
  const span = max > min ? max - min : 1;
  return runOwn('BitsToInteger', { higher: bits(k1, shape), lower: bits(k2, shape) }, { min, span });
}

/** The numbers 0 to count - 1 in random order, int32 [count]. */
export function permutation(key: HostKey, count: number): Int32Array;
export function permutation(key: Tensor, count: number): Tensor;
export function permutation(key: HostKey | Tensor, count: number): Int32Array | Tensor {
  if (!(key instanceof Tensor)) return hostPermutation(key, count);
  let order: Tensor = range(0, count, 1, 'int32');
  let rest = key;
  for (let round = 0; round < shuffleRounds(count); round++) {
    const [next, subkey] = split(rest) as [Tensor, Tensor];
    order = gather(order, runOwn('ArgsortBits', { bits: bits(subkey, [count]) }, {}));
    rest = next;
  }
  return order;
}

/** x with each row along its last axis in a random order of its own: jax.random.permutation(independent=True). */
export function shuffle(key: Tensor, x: Tensor): Tensor {
  const length = x.shape.at(-1) as number;
  const lead = x.shape.slice(0, -1);
  let rows = reshape(x, [-1, length]);
  let rest = key;
  for (let round = 0; round < shuffleRounds(x.size); round++) {
    const [next, subkey] = split(rest) as [Tensor, Tensor];
    const order = runOwn('ArgsortBits', { bits: bits(subkey, [...lead, length]) }, {});
    rows = gather(rows, reshape(order, [-1, length]), 1, 1);
    rest = next;
  }
  return reshape(rows, x.shape);
}

/** Exponential with rate 1, float32. */
export function exponential(key: Tensor, shape: Shape): Tensor {
  return neg(log1p(neg(uniform(key, shape))));
}

/** Standard Gumbel, float32. */
export function gumbel(key: Tensor, shape: Shape): Tensor {
  return neg(log(neg(log(uniform(key, shape, 2 ** -126, 1)))));
}

/** An index into the last dimension of `logits` for each of the other dimensions, drawn by softmax; int32. */
export function categorical(key: Tensor, logits: Tensor): Tensor {
  return argMax(add(gumbel(key, logits.shape), logits), -1);
}

/** Beta(a, b): one number for a host key, float32 of `shape` for a traced key ([2]). */
export function beta(key: HostKey, a: number, b: number): number;
export function beta(key: Tensor, a: number, b: number, shape?: Shape): Tensor;
export function beta(key: HostKey | Tensor, a: number, b: number, shape: Shape = []): number | Tensor {
  if (!(key instanceof Tensor)) return hostBeta(key, a, b);
  const [keyA, keyB] = split(key) as [Tensor, Tensor];
  const count = sizeOf(shape);
  // Both at once: half as much to compile.
  const keys = concat([splitStacked(keyA, count), splitStacked(keyB, count)]);
  const logs = logGammas(keys, [...Array<number>(count).fill(a), ...Array<number>(count).fill(b)]);
  const [logA, logB] = unstack(reshape(logs, [2, ...shape])) as [Tensor, Tensor];
  const larger = maximum(logA, logB);
  const scaledA = exp(sub(logA, larger));
  const scaledB = exp(sub(logB, larger));
  return div(scaledA, add(scaledA, scaledB));
}

/** Proposals that are drawn before the last is taken as it is. Each is refused with probability below 0.05. */
const proposals = 8;
/** Normals that are drawn for a proposal. Each is out of range with probability below 0.008. */
const tries = 4;

/**
 * The logarithm of Gamma(alpha, 1) numbers, float32 of `shape`: jax.random.loggamma. JAX loops until a proposal is
 * accepted; here all of a fixed number of proposals are drawn at once, which gives JAX's number but for one draw in
 * 10^10 or fewer, needs no loop on the device, and is vectorised. Marsaglia & Tsang (ACM TOMS 26, 2000).
 */
export function logGamma(key: Tensor, alpha: number, shape: Shape): Tensor {
  const count = sizeOf(shape);
  const values = logGammas(splitStacked(key, count), Array<number>(count).fill(alpha));
  return reshape(values, shape as number[]);
}

/** One number for each key (int32 [count, 2]) and alpha. */
function logGammas(keys: Tensor, alphas: readonly number[]): Tensor {
  const constants = alphas.map(gammaConstants);
  const d = values(constants.map((of) => of.d));
  const logD = values(constants.map((of) => Math.log(of.d)));
  const scale = values(
    constants.map(({ boosted }, i) => (boosted ? 1 / Math.fround(alphas[i] as number) : 0)),
  );
  const [chainStart, boostKey] = split(keys) as [Tensor, Tensor];
  let chain = chainStart;
  const normalKeys: Tensor[] = [];
  const uniformKeys: Tensor[] = [];
  for (let i = 0; i < proposals; i++) {
    const [next, normalKey, uniformKey] = split(chain, 3) as [Tensor, Tensor, Tensor];
    chain = next;
    normalKeys.push(normalKey);
    uniformKeys.push(uniformKey);
  }
  // Everything from here has shape [proposals, numbers].
  const { x, v } = firstInRange(stack(normalKeys), values(constants.map((of) => of.c)));
  const xx = mul(x, x);
  const vvv = mul(mul(v, v), v);
  const u = uniform(stack(uniformKeys), []);
  const refused = logicalOr(
    lessEqual(v, 0),
    logicalAnd(
      greaterEqual(u, sub(1, mul(squeeze, mul(xx, xx)))),
      greaterEqual(log(u), add(mul(xx, 0.5), mul(d, add(sub(1, vvv), log(vvv))))),
    ),
  );
  const proposed = unstack(vvv);
  const refusals = unstack(refused);
  let accepted = onesLike(proposed[0] as Tensor);
  for (let i = proposals - 1; i >= 0; i--)
    accepted = where(refusals[i] as Tensor, accepted, proposed[i] as Tensor);
  const logSample = log1p(neg(uniform(boostKey, [])));
  return add(add(logD, log(accepted)), mul(logSample, scale));
}

/** A constant: a scalar if all numbers are equal. */
function values(numbers: readonly number[]): Tensor {
  const [first = 0] = numbers;
  return numbers.every((x) => x === first) ? scalar(first) : tensor([...numbers]);
}

/** For each key the first normal x with v = 1 + x * c above 0; v is not above 0 if there is none. */
function firstInRange(keys: Tensor, c: Tensor): { readonly x: Tensor; readonly v: Tensor } {
  const drawn: { x: Tensor; v: Tensor }[] = [];
  let rest = keys;
  for (let i = 0; i < tries; i++) {
    const [next, subkey] = split(rest) as [Tensor, Tensor];
    rest = next;
    const x = normal(subkey, []);
    drawn.push({ x, v: add(1, mul(x, c)) });
  }
  return drawn.reduceRight((later, sooner) => {
    const inRange = greater(sooner.v, 0);
    return { x: where(inRange, sooner.x, later.x), v: where(inRange, sooner.v, later.v) };
  });
}
