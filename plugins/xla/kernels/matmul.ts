// Matrix products.

import type { _FusedMatMulAttrs, BatchMatMulAttrs } from '@tensorflow/tfjs-core';
import * as hlo from '../stablehlo';
import type { Value } from '../stablehlo';
import { activate } from './activation';
import { float, promote } from './promotion';
import { broadcast, broadcastShapes } from './shapes';
import { lower, type Lowering, type LoweringTable } from './types';

const range = (size: number) => Array.from({ length: size }, (_, i) => i);
const ones = (dims: readonly number[]) => dims.every((dim) => dim === 1);

/** A product accumulates in f32; the result has the operands' type. */
export function dot(a: Value, b: Value, axes: hlo.DotAxes): Value {
  const [x, y] = promote(a, b) as [Value, Value];
  return hlo.dotGeneral(x, y, axes);
}

/**
 * a: [...batch, n, d], b: [...batch, d, m] (or transposed) -> [...batch, n, m]. A matrix without batch isn't
 * repeated: it is one product over all rows of the other operand.
 */
function matMul(a: Value, b: Value, transposeA: boolean, transposeB: boolean): Value {
  const [aBatch, bBatch] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  const aRank = a.shape.length;
  const bRank = b.shape.length;
  const contract = (aAt: number, bAt: number) =>
    [[transposeA ? aAt - 2 : aAt - 1], [transposeB ? bAt - 1 : bAt - 2]] as const;
  const batch = broadcastShapes(aBatch, bBatch);
  const rows = a.shape[aRank - (transposeA ? 1 : 2)]!;
  const columns = b.shape[bRank - (transposeB ? 2 : 1)]!;
  const result = [...batch, rows, columns];
  if (ones(bBatch) && !transposeA) {
    const matrix = hlo.reshape(b, b.shape.slice(-2));
    return hlo.reshape(dot(a, matrix, { contract: contract(aRank, 2) }), result);
  }
  const fit = (value: Value) => hlo.broadcastTo(value, [...batch, ...value.shape.slice(-2)]);
  const axes = range(batch.length);
  const rank = batch.length + 2;
  return dot(fit(a), fit(b), { batch: [axes, axes], contract: contract(rank, rank) });
}

const fused: Lowering = (inputs, attributes) => {
  const { transposeA, transposeB, activation, leakyreluAlpha } = attributes as _FusedMatMulAttrs;
  const { a, b, bias, preluActivationWeights } = inputs;
  const product = matMul(float(a!), float(b!), transposeA, transposeB);
  const [sum, offset] = bias ? (broadcast(product, bias) as [Value, Value]) : [product];
  const biased = offset ? hlo.add(sum, offset) : sum;
  return activate(biased, activation, preluActivationWeights, leakyreluAlpha);
};

export const matMulOps = {
  BatchMatMul: lower<'a' | 'b', BatchMatMulAttrs>(({ a, b }, { transposeA, transposeB }) =>
    matMul(a, b, transposeA, transposeB),
  ),
  _FusedMatMul: fused,
} satisfies LoweringTable;
