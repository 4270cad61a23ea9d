// What every runtime but XLA needs to know of our own kernels: result shapes, gradients, and an eager computation.

import {
  add,
  clone,
  type DataType,
  erf,
  exp,
  matMul,
  mul,
  neg,
  reshape,
  square,
  sub,
  sum,
  tanh,
  tensor,
  type Tensor,
  transpose,
  zerosLike,
} from '@tensorflow/tfjs-core';
import { broadcastTo } from './broadcast';
import { sizeOf } from '../array';
import { einsumSizes, parseEinsum } from './einsum';
import { erfInv32 } from './float32';
import { argsortBits, bitsToUniform } from './host-random';
import { type OwnAttrs, type OwnInputs, type OwnOp, type OwnOps, type OwnResults, runOwn } from './own-ops';
import { threefry, threefryBits } from './threefry';

export interface Shaped {
  readonly shape: readonly number[];
  readonly dtype: DataType;
}

/** Gradients of the inputs, computed only when they are asked for. */
type InputGradients<K extends OwnOp> = OwnInputs<K, () => Tensor>;

/** The gradient rule, by what it needs from the forward pass. Built of tfjs's and our ops, so it has a gradient too. */
export type OwnGradient<K extends OwnOp> =
  | { readonly from: 'dy'; grad(dy: OwnResults<K, Tensor>, attrs: OwnAttrs<K>): InputGradients<K> }
  | {
      readonly from: 'inputs';
      /** All of the input names. */
      readonly saves: OwnInputs<K, true>;
      grad(dy: OwnResults<K, Tensor>, attrs: OwnAttrs<K>, inputs: OwnInputs<K, Tensor>): InputGradients<K>;
    };

export interface OwnRule<K extends OwnOp> {
  /** The shape and dtype of the result(s). @throws Error if the inputs don't fit the op. */
  shape(inputs: OwnInputs<K, Shaped>, attrs: OwnAttrs<K>): OwnResults<K, Shaped>;
  /** null: not differentiable. tfjs then refuses a gradient that would pass through. */
  readonly gradient: OwnGradient<K> | null;
  /** Computes eagerly, with tfjs ops or host arithmetic. A result must not be one of the inputs: clone it. */
  fallback(inputs: OwnInputs<K, Tensor>, attrs: OwnAttrs<K>): OwnResults<K, Tensor>;
}

/** One rule for each op; the types make the table total. */
export const ownRules: { readonly [K in keyof OwnOps]: OwnRule<K> } = {
  Einsum: {
    shape: ({ a, b }, { equation }) => {
      requireDtype('einsum', a, 'float32');
      requireDtype('einsum', b, 'float32');
      const sizes = einsumSizes(equation, a.shape, b.shape);
      return { dtype: 'float32', shape: sizesOf(parseEinsum(equation).out, sizes) };
    },
    gradient: {
      from: 'inputs',
      saves: { a: true, b: true },
      grad: (dy, { equation }, { a, b }) => {
        const plan = parseEinsum(equation);
        const out = plan.out.join('');
        return {
          a: () => einsumGradient(dy, out, b, plan.b.join(''), a, plan.a, plan.aSum),
          b: () => einsumGradient(dy, out, a, plan.a.join(''), b, plan.b, plan.bSum),
        };
      },
    },
    fallback: ({ a, b }, { equation }) => einsumByMatMul(a, b, equation),
  },

  Gelu: {
    shape: ({ x }) => requireDtype('gelu', x, 'float32'),
    gradient: {
      from: 'inputs',
      saves: { x: true },
      grad: (dy, { approximate }, { x }) => ({
        x: () => (approximate ? geluTanhGradient(dy, x) : geluErfGradient(dy, x)),
      }),
    },
    fallback: ({ x }, { approximate }) => {
      if (!approximate) return mul(mul(x, 0.5), add(erf(mul(x, sqrtHalf)), 1));
      return mul(x, tanhCdf(x).cdf);
    },
  },

  ErfInv: {
    shape: ({ x }) => requireDtype('erfInv', x, 'float32'),
    gradient: {
      from: 'inputs',
      saves: { x: true },
      // Computed again, since tfjs loses the second derivative of what is saved from the results.
      grad: (dy, _attrs, { x }) => ({
        x: () => mul(dy, mul(Math.sqrt(Math.PI) / 2, exp(square(runOwn('ErfInv', { x }, {}))))),
      }),
    },
    fallback: ({ x }) => {
      const values = x.dataSync<'float32'>();
      return tensor(Float32Array.from(values, erfInv32), x.shape as number[], 'float32');
    },
  },

  ThreefryHash: {
    shape: ({ key, counters }) => {
      requireKey('threefryHash', key);
      requireDtype('threefryHash', counters, 'int32');
      if (counters.shape.length !== 2 || counters.shape[1] !== 2) {
        throw new Error(`threefryHash: counters must have shape [n, 2], got [${counters.shape.join(', ')}]`);
      }
      return { dtype: 'int32', shape: [...key.shape.slice(0, -1), ...counters.shape] };
    },
    gradient: null,
    fallback: ({ key, counters }) => {
      const keys = key.dataSync<'int32'>();
      const words = counters.dataSync<'int32'>();
      const x0 = words.filter((_, i) => i % 2 === 0);
      const x1 = words.filter((_, i) => i % 2 === 1);
      const result = new Int32Array((keys.length / 2) * words.length);
      for (let k = 0; k < keys.length / 2; k++) {
        const { y0, y1 } = threefry([keys[2 * k] as number, keys[2 * k + 1] as number], x0, x1);
        for (let i = 0; i < y0.length; i++) {
          result[k * words.length + 2 * i] = y0[i] as number;
          result[k * words.length + 2 * i + 1] = y1[i] as number;
        }
      }
      return tensor(result, [...key.shape.slice(0, -1), ...counters.shape], 'int32');
    },
  },

  ThreefryBits: {
    shape: ({ key }, { shape }) => {
      requireKey('threefryBits', key);
      return { dtype: 'int32', shape: [...key.shape.slice(0, -1), ...shape] };
    },
    gradient: null,
    fallback: ({ key }, { shape }) => {
      const keys = key.dataSync<'int32'>();
      const size = sizeOf(shape);
      const result = new Int32Array((keys.length / 2) * size);
      for (let k = 0; k < keys.length / 2; k++) {
        result.set(threefryBits([keys[2 * k] as number, keys[2 * k + 1] as number], size), k * size);
      }
      return tensor(result, [...key.shape.slice(0, -1), ...shape], 'int32');
    },
  },

  BitsToUniform: {
    shape: ({ bits }) => ({ ...requireDtype('bitsToUniform', bits, 'int32'), dtype: 'float32' }),
    gradient: null,
    fallback: ({ bits }, { min, max }) => {
      const words = bits.dataSync<'int32'>();
      return tensor(bitsToUniform(words, min, max), bits.shape, 'float32');
    },
  },

  BitsToInteger: {
    shape: ({ higher, lower }) => {
      requireDtype('bitsToInteger', lower, 'int32');
      return requireDtype('bitsToInteger', higher, 'int32');
    },
    gradient: null,
    fallback: ({ higher, lower }, { min, span }) => {
      const high = higher.dataSync<'int32'>();
      const low = lower.dataSync<'int32'>();
      const root = 2 ** 16 % span;
      const multiplier = (Math.imul(root, root) >>> 0) % span;
      const values = Int32Array.from(high, (word, i) => {
        const product = Math.imul((word >>> 0) % span, multiplier);
        const offset = ((product + (((low[i] as number) >>> 0) % span)) >>> 0) % span;
        return min + offset;
      });
      return tensor(values, higher.shape, 'int32');
    },
  },

  ArgsortBits: {
    shape: ({ bits }) => {
      if (bits.shape.length === 0) throw new Error('argsortBits: needs at least one dimension');
      return requireDtype('argsortBits', bits, 'int32');
    },
    gradient: null,
    fallback: ({ bits }) => {
      const words = bits.dataSync<'int32'>();
      const length = bits.shape.at(-1) as number;
      const result = new Int32Array(words.length);
      for (let start = 0; start < words.length; start += length) {
        result.set(argsortBits(words.slice(start, start + length)), start);
      }
      return tensor(result, bits.shape, 'int32');
    },
  },

  CastStorage: {
    shape: ({ x }) => requireDtype('castStorage', x, 'float32'),
    gradient: {
      from: 'inputs',
      saves: { x: true },
      grad: (dy, _attrs, { x }) => ({ x: () => runOwn('CastStorageLike', { x: dy, like: x }, {}) }),
    },
    fallback: ({ x }) => clone(x),
  },

  CastStorageLike: {
    shape: ({ x, like }) => {
      requireDtype('castStorageLike', like, 'float32');
      return requireDtype('castStorageLike', x, 'float32');
    },
    gradient: {
      from: 'inputs',
      saves: { x: true, like: true },
      grad: (dy, _attrs, { x, like }) => ({
        x: () => runOwn('CastStorageLike', { x: dy, like: x }, {}),
        like: () => zerosLike(like),
      }),
    },
    fallback: ({ x }) => clone(x),
  },

  ShardingConstraint: {
    shape: ({ x }, { spec }) => {
      if (spec.length > x.shape.length) {
        throw new Error(
          `shardingConstraint: ${spec.length} dimensions of a tensor that has ${x.shape.length}`,
        );
      }
      return shaped(x);
    },
    gradient: {
      from: 'dy',
      grad: (dy, attrs) => ({ x: () => runOwn('ShardingConstraint', { x: dy }, attrs) }),
    },
    fallback: ({ x }) => clone(x),
  },

  OptimizationBarrier: {
    shape: (inputs) => inOrder(inputs).map(shaped),
    gradient: {
      from: 'dy',
      grad: (dys) => {
        const after = runOwn('OptimizationBarrier', byPosition(dys), {});
        return byPosition(after.map((dy) => () => clone(dy)));
      },
    },
    fallback: (inputs) => inOrder(inputs).map((x) => clone(x)),
  },
};

// ---- shapes ------------------------------------------------------------------------------------------------------

function shaped({ shape, dtype }: Shaped): Shaped {
  return { shape, dtype };
}

function requireDtype(op: string, input: Shaped, dtype: DataType): Shaped {
  if (input.dtype !== dtype) throw new Error(`${op}: expected ${dtype}, got ${input.dtype}`);
  return shaped(input);
}

function requireKey(op: string, key: Shaped): void {
  requireDtype(`${op}: key`, key, 'int32');
  if (key.shape.at(-1) !== 2) throw new Error(`${op}: a key has shape [2], got [${key.shape.join(', ')}]`);
}

function sizesOf(letters: readonly string[], sizes: ReadonlyMap<string, number>): number[] {
  return letters.map((letter) => sizes.get(letter) as number);
}

/** The values of x0, x1, ... in order: object keys keep the order of insertion, but a kernel must not rely on it. */
export function inOrder<T>(inputs: Readonly<Record<`x${number}`, T>>): T[] {
  return Object.keys(inputs).map((_, i) => inputs[`x${i}`] as T);
}

export function byPosition<T>(values: readonly T[]): Readonly<Record<`x${number}`, T>> {
  return Object.fromEntries(values.map((value, i) => [`x${i}`, value]));
}

// ---- einsum ------------------------------------------------------------------------------------------------------

/** The gradient of one operand: contract dy with the other one, and spread over the letters that were summed away. */
function einsumGradient(
  dy: Tensor,
  out: string,
  other: Tensor,
  otherLetters: string,
  operand: Tensor,
  letters: readonly string[],
  summed: readonly string[],
): Tensor {
  const kept = letters.filter((letter) => !summed.includes(letter)).join('');
  const contracted = runOwn('Einsum', { a: dy, b: other }, { equation: `${out},${otherLetters}->${kept}` });
  const gradient = runOwn('CastStorageLike', { x: contracted, like: operand }, {});
  if (summed.length === 0) return gradient;
  const withOnes = operand.shape.map((size, i) => (summed.includes(letters[i] as string) ? 1 : size));
  return broadcastTo(reshape(gradient, withOnes), operand.shape);
}

/** As one batched matrix product: operands as [batch, free, contract] and [batch, contract, free]. */
function einsumByMatMul(a: Tensor, b: Tensor, equation: string): Tensor {
  const plan = parseEinsum(equation);
  const sizes = einsumSizes(equation, a.shape, b.shape);
  const size = (letters: readonly string[]) => sizeOf(sizesOf(letters, sizes));
  const arrange = (
    x: Tensor,
    letters: readonly string[],
    summed: readonly string[],
    order: readonly string[],
  ) => {
    const axes = summed.map((letter) => letters.indexOf(letter));
    const kept = letters.filter((letter) => !summed.includes(letter));
    return permute(axes.length > 0 ? sum(x, axes) : x, kept, order);
  };
  const { batch, contract, aFree, bFree } = plan;
  const left = arrange(a, plan.a, plan.aSum, [...batch, ...aFree, ...contract]);
  const right = arrange(b, plan.b, plan.bSum, [...batch, ...contract, ...bFree]);
  const product = matMul(
    reshape(left, [size(batch), size(aFree), size(contract)]),
    reshape(right, [size(batch), size(contract), size(bFree)]),
  );
  const order = [...batch, ...aFree, ...bFree];
  return permute(reshape(product, sizesOf(order, sizes)), order, plan.out);
}

function permute(x: Tensor, letters: readonly string[], order: readonly string[]): Tensor {
  const axes = order.map((letter) => letters.indexOf(letter));
  return axes.every((axis, i) => axis === i) ? x : transpose(x, axes);
}

// ---- gelu --------------------------------------------------------------------------------------------------------

const sqrt2OverPi = Math.fround(Math.sqrt(2 / Math.PI));
const sqrtHalf = Math.fround(Math.sqrt(0.5));

function tanhCdf(x: Tensor): { readonly t: Tensor; readonly cdf: Tensor } {
  const cube = mul(mul(x, x), x);
  const t = tanh(mul(sqrt2OverPi, add(x, mul(0.044715, cube))));
  return { t, cdf: mul(0.5, add(1, t)) };
}

/** In the order of JAX's reverse mode, so that rounding agrees. */
function geluTanhGradient(dy: Tensor, x: Tensor): Tensor {
  const { t, cdf } = tanhCdf(x);
  const throughCdf = mul(mul(dy, x), 0.5);
  const scaled = mul(throughCdf, sub(1, t));
  const throughTanh = mul(add(scaled, mul(scaled, t)), sqrt2OverPi);
  const throughCube = mul(mul(throughTanh, 0.044715), mul(3, mul(x, x)));
  return add(add(mul(dy, cdf), throughTanh), throughCube);
}

function geluErfGradient(dy: Tensor, x: Tensor): Tensor {
  const cdf = mul(0.5, add(erf(mul(x, sqrtHalf)), 1));
  const density = mul(exp(neg(mul(mul(x, x), 0.5))), 1 / Math.sqrt(2 * Math.PI));
  return add(mul(dy, cdf), mul(mul(dy, x), density));
}
