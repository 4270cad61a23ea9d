// Kernels whose places are data: gather, scatter, segments.

import type {
  GatherV2Attrs,
  ScatterNdAttrs,
  SparseToDenseAttrs,
  UnsortedSegmentSumAttrs,
} from '@tensorflow/tfjs-core';
import * as hlo from '../stablehlo';
import type { Value } from '../stablehlo';
import { number } from './promotion';
import { axisOf } from './shapes';
import { lower, type LoweringTable } from './types';

const range = (from: number, to: number) =>
  Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i);

/**
 * Rows of `x` along `axis`. x: [...batch, ...outer, n, ...inner], indices: [...batch, ...rest] ->
 * [...batch, ...outer, ...rest, ...inner].
 */
export function take(x: Value, indices: Value, axis: number, batchDims: number): Value {
  const rank = x.shape.length;
  const rest = indices.shape.length - batchDims;
  const batch = range(0, batchDims);
  return hlo.gather(
    x,
    indices,
    {
      offset: [...range(batchDims, axis), ...range(axis + rest, rank + rest - 1)],
      collapsed: [axis],
      batch: [batch, batch],
      startIndexMap: [axis],
      indexVector: indices.shape.length,
    },
    x.shape.map((dim, i) => (i < batchDims || i === axis ? 1 : dim)),
  );
}

/** Combines slices of `updates` into `x` at `indices` [...outer, depth], which name the first `depth` axes. */
function scatterNd(combine: 'add' | 'replace', x: Value, indices: Value, updates: Value): Value {
  const outer = Math.max(0, indices.shape.length - 1);
  const depth = indices.shape.length === 0 ? 1 : indices.shape[indices.shape.length - 1]!;
  const inner = x.shape.slice(depth);
  const fitted = hlo.reshape(updates, [...indices.shape.slice(0, -1), ...inner]);
  return hlo.scatter(combine, x, indices, fitted, {
    window: range(outer, outer + inner.length),
    inserted: range(0, depth),
    scatterMap: range(0, depth),
    indexVector: outer,
  });
}

const integers = (x: Value) => hlo.convert(x, 'i32');

export const indexingOps = {
  GatherV2: lower<'x' | 'indices', GatherV2Attrs>(({ x, indices }, { axis, batchDims }) => {
    const along = axisOf(axis, x.shape);
    const batch = batchDims < 0 ? batchDims + indices.shape.length : (batchDims ?? 0);
    return take(x, integers(indices), along, batch);
  }),

  GatherNd: lower<'params' | 'indices'>(({ params, indices }) => {
    const outer = indices.shape.length - 1;
    const depth = indices.shape[outer]!;
    const inner = params.shape.slice(depth);
    return hlo.gather(
      params,
      integers(indices),
      {
        offset: range(outer, outer + inner.length),
        collapsed: range(0, depth),
        startIndexMap: range(0, depth),
        indexVector: outer,
      },
      params.shape.map((dim, i) => (i < depth ? 1 : dim)),
    );
  }),

  ScatterNd: lower<'indices' | 'updates', ScatterNdAttrs>(({ indices, updates }, { shape }, graph) => {
    const values = number(updates);
    return scatterNd('add', hlo.splat(graph, values.type, shape, 0), integers(indices), values);
  }),

  TensorScatterUpdate: lower<'tensor' | 'indices' | 'updates'>(({ tensor, indices, updates }) =>
    scatterNd('replace', tensor, integers(indices), hlo.convert(updates, tensor.type)),
  ),

  SparseToDense: lower<'sparseIndices' | 'sparseValues' | 'defaultValue', SparseToDenseAttrs>(
    ({ sparseIndices, sparseValues, defaultValue }, { outputShape }) => {
      const values = number(sparseValues);
      const base = hlo.broadcastTo(hlo.convert(defaultValue, values.type), outputShape);
      const { shape } = sparseIndices;
      // A scalar is one place, a list is one place for each element.
      const depth = outputShape.length;
      const count = shape.length === 0 ? 1 : shape[0]!;
      const indices = hlo.reshape(integers(sparseIndices), shape.length === 2 ? shape : [count, depth]);
      return scatterNd('replace', base, indices, hlo.broadcastTo(values, [count]));
    },
  ),

  UnsortedSegmentSum: lower<'x' | 'segmentIds', UnsortedSegmentSumAttrs>(
    ({ x, segmentIds }, { numSegments }, graph) => {
      const values = number(x);
      const inner = x.shape.slice(segmentIds.shape.length);
      const zeros = hlo.splat(graph, values.type, [numSegments, ...inner], 0);
      const ids = hlo.reshape(integers(segmentIds), [...segmentIds.shape, 1]);
      return scatterNd('add', zeros, ids, values);
    },
  ),
} satisfies LoweringTable;
