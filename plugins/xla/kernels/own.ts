// Lowerings of our own kernels; the types make the table total.

import { einsumSizes, parseEinsum } from '../../../core/tensor/einsum';
import type { OwnAttrs, OwnInputs, OwnOp, OwnResults } from '../../../core/tensor/own-ops';
import * as hlo from '../stablehlo';
import type { Graph, Value } from '../stablehlo';
import { dot } from './matmul';
import { accumulator, float } from './promotion';
import { withScalar } from './shapes';

type OwnLowering<K extends OwnOp> = (
  inputs: OwnInputs<K, Value>,
  attrs: OwnAttrs<K>,
  graph: Graph,
) => OwnResults<K, Value>;

const storageTypes = { float32: 'f32', bfloat16: 'bf16', float16: 'f16' } as const;

/** Sums away and orders the letters around one dot_general. */
export function einsum(equation: string, a: Value, b: Value): Value {
  const plan = parseEinsum(equation);
  einsumSizes(equation, a.shape, b.shape);
  const prepare = (x: Value, letters: readonly string[], summed: readonly string[]) => {
    const axes = summed.map((letter) => letters.indexOf(letter));
    const reduced = hlo.convert(hlo.reduce('add', accumulator(x), axes), x.type);
    return [reduced, letters.filter((letter) => !summed.includes(letter))] as const;
  };
  const [x, xLetters] = prepare(a, plan.a, plan.aSum);
  const [y, yLetters] = prepare(b, plan.b, plan.bSum);
  const places = (letters: readonly string[], of: readonly string[]) =>
    letters.map((letter) => of.indexOf(letter));
  const product = dot(x, y, {
    batch: [places(plan.batch, xLetters), places(plan.batch, yLetters)],
    contract: [places(plan.contract, xLetters), places(plan.contract, yLetters)],
  });
  const used = new Set([...plan.batch, ...plan.contract]);
  const order = [
    ...plan.batch,
    ...xLetters.filter((l) => !used.has(l)),
    ...yLetters.filter((l) => !used.has(l)),
  ];
  return hlo.transpose(product, places(plan.out, order));
}

const c = Math.fround(Math.sqrt(2 / Math.PI));

/** jax.nn.gelu: x * (0.5 * (1 + tanh(c * (x + 0.044715 * x^3)))). */
function geluTanh(x: Value): Value {
  const cube = hlo.multiply(hlo.multiply(x, x), x);
  const inner = withScalar(hlo.multiply, hlo.add(x, withScalar(hlo.multiply, cube, 0.044715)), c);
  const cdf = withScalar(hlo.multiply, withScalar(hlo.add, hlo.tanh(inner), 1), 0.5);
  return hlo.multiply(x, cdf);
}

function geluErf(x: Value): Value {
  const scaled = withScalar(hlo.multiply, hlo.negate(x), Math.fround(Math.SQRT1_2));
  return hlo.multiply(withScalar(hlo.multiply, x, 0.5), hlo.erfc(scaled));
}

// ---- random bits -------------------------------------------------------------------------------------------------

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;

/** Threefry-2x32 of ui32 arrays of one shape. */
function threefry(key0: Value, key1: Value, counter0: Value, counter1: Value): readonly [Value, Value] {
  const rotate = (x: Value, by: number) =>
    hlo.or(withScalar(hlo.shiftLeft, x, by), withScalar(hlo.shiftRightLogical, x, 32 - by));
  const schedule = [key0, key1, withScalar(hlo.xor, hlo.xor(key0, key1), 0x1bd11bda)] as const;
  let x0 = hlo.add(counter0, key0);
  let x1 = hlo.add(counter1, key1);
  for (let group = 0; group < 5; group++) {
    for (const rotation of rotations[group % 2]!) {
      x0 = hlo.add(x0, x1);
      x1 = hlo.xor(rotate(x1, rotation), x0);
    }
    x0 = hlo.add(x0, schedule[(group + 1) % 3]!);
    x1 = withScalar(hlo.add, hlo.add(x1, schedule[(group + 2) % 3]!), group + 1);
  }
  return [x0, x1];
}

const bits = (x: Value) => hlo.bitcastConvert(hlo.convert(x, 'i32'), 'ui32');
const asInt = (x: Value) => hlo.bitcastConvert(x, 'i32');

/** Column `index` of the last axis, which vanishes. */
function column(x: Value, index: number): Value {
  const last = x.shape.length - 1;
  const start = x.shape.map((_, i) => (i === last ? index : 0));
  const limit = x.shape.map((dim, i) => (i === last ? index + 1 : dim));
  return hlo.reshape(hlo.slice(x, start, limit), x.shape.slice(0, -1));
}

/** The leading axes of `shape` are x's. */
const lead = (x: Value, shape: hlo.Shape) =>
  hlo.broadcastInDim(
    x,
    shape,
    x.shape.map((_, i) => i),
  );

/** Row-major indices of `shape` as 64-bit numbers in two ui32 words, after `leading` axes that don't count. */
function counters(graph: Graph, leading: hlo.Shape, shape: hlo.Shape): readonly [high: Value, low: Value] {
  const full = [...leading, ...shape];
  if (hlo.sizeOf(shape) < 2 ** 32) {
    return [hlo.splat(graph, 'ui32', full, 0), rowMajor(graph, 'ui32', leading, shape)];
  }
  const index = rowMajor(graph, 'ui64', leading, shape);
  const high = hlo.shiftRightLogical(index, hlo.splatLike(index, 32));
  return [hlo.convert(high, 'ui32'), hlo.convert(index, 'ui32')];
}

function rowMajor(graph: Graph, type: 'ui32' | 'ui64', leading: hlo.Shape, shape: hlo.Shape): Value {
  const full = [...leading, ...shape];
  let index = hlo.splat(graph, type, full, 0);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const places = hlo.iota(graph, type, full, leading.length + axis);
    index = hlo.add(index, stride === 1 ? places : withScalar(hlo.multiply, places, stride));
    stride *= shape[axis]!;
  }
  return index;
}

export const ownLowerings: { readonly [K in OwnOp]: OwnLowering<K> } = {
  Einsum: ({ a, b }, { equation }) => einsum(equation, a, b),

  Gelu: ({ x }, { approximate }) => (approximate ? geluTanh(float(x)) : geluErf(float(x))),

  ErfInv: ({ x }) => hlo.erfInv(float(x)),

  ThreefryHash: ({ key, counters: pairs }) => {
    const leading = key.shape.slice(0, -1);
    const shape = [...leading, pairs.shape[0]!];
    const words = bits(key);
    const counter = (i: number) => hlo.broadcastInDim(column(bits(pairs), i), shape, [leading.length]);
    const [y0, y1] = threefry(
      lead(column(words, 0), shape),
      lead(column(words, 1), shape),
      counter(0),
      counter(1),
    );
    const stacked = [y0, y1].map((word) => hlo.reshape(word, [...shape, 1]));
    return asInt(hlo.concatenate(stacked, shape.length));
  },

  ThreefryBits: ({ key }, { shape }, graph) => {
    const leading = key.shape.slice(0, -1);
    const full = [...leading, ...shape];
    const words = bits(key);
    const [high, low] = counters(graph, leading, shape);
    const [y0, y1] = threefry(lead(column(words, 0), full), lead(column(words, 1), full), high, low);
    return asInt(hlo.xor(y0, y1));
  },

  BitsToUniform: ({ bits: words }, { min, max }) => {
    const mantissa = withScalar(hlo.shiftRightLogical, bits(words), 9);
    const oneToTwo = hlo.bitcastConvert(withScalar(hlo.or, mantissa, 0x3f800000), 'f32');
    const unit = withScalar(hlo.subtract, oneToTwo, 1);
    if (min === 0 && max === 1) return unit;
    const scaled = withScalar(hlo.add, withScalar(hlo.multiply, unit, Math.fround(max - min)), min);
    return withScalar(hlo.maximum, scaled, min);
  },

  BitsToInteger: ({ higher, lower }, { min, span }) => {
    const root = 2 ** 16 % span;
    const multiplier = (Math.imul(root, root) >>> 0) % span;
    const modulo = (x: Value) => withScalar(hlo.remainder, x, span);
    const product = withScalar(hlo.multiply, modulo(bits(higher)), multiplier);
    const offset = modulo(hlo.add(product, modulo(bits(lower))));
    return withScalar(hlo.add, asInt(offset), min);
  },

  ArgsortBits: ({ bits: words }, _attrs, graph) => {
    const axis = words.shape.length - 1;
    const places = hlo.iota(graph, 'i32', words.shape, axis);
    const [, order] = hlo.sort([bits(words), places], axis, (a, b) => hlo.compare('LT', a, b));
    return order!;
  },

  CastStorage: ({ x }, { storage }) => hlo.convert(x, storageTypes[storage]),
  CastStorageLike: ({ x, like }) => hlo.convert(x, like.type),

  ShardingConstraint: ({ x }, { spec }, graph) =>
    graph.axesOf ? hlo.shardingConstraint(x, graph.axesOf(spec)) : x,

  OptimizationBarrier: (inputs) => hlo.optimizationBarrier(Object.values(inputs)),
};
