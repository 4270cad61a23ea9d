// Grey-scale dilation and its gradients: the maximum over a window of image plus filter. The window's places are few, so
// each is a slice of its own, and the compiler fuses them.

import { backend_util, type Dilation2DAttrs } from '@tensorflow/tfjs-core';
import * as hlo from '../stablehlo';
import type { Value } from '../stablehlo';
import { lower, type LoweringTable } from './types';

interface Geometry {
  readonly out: readonly [height: number, width: number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  /** Before and after, of height and width. */
  readonly padding: readonly [readonly [number, number], readonly [number, number]];
}

function geometryOf(x: Value, filter: Value, { strides, pad, dilations }: Dilation2DAttrs): Geometry {
  const info = backend_util.computeDilation2DInfo(
    x.shape as [number, number, number, number],
    filter.shape as [number, number, number],
    strides,
    pad,
    'NHWC',
    dilations,
  );
  const { top, bottom, left, right } = info.padInfo;
  return {
    out: [info.outHeight, info.outWidth],
    stride: [info.strideHeight, info.strideWidth],
    dilation: [info.dilationHeight, info.dilationWidth],
    padding: [
      [top, bottom],
      [left, right],
    ],
  };
}

/** One place of the window. */
interface Term {
  readonly row: number;
  readonly column: number;
  /** Image plus filter there, for each window: [n, ...out, c]. */
  readonly value: Value;
}

function terms(x: Value, filter: Value, geometry: Geometry): readonly Term[] {
  const { out, stride, dilation, padding } = geometry;
  const [batch, , , channels] = x.shape as [number, number, number, number];
  const [rows, columns] = filter.shape as [number, number, number];
  const padded = hlo.pad(
    x,
    hlo.scalar(x.graph, x.type, -Infinity),
    [0, padding[0][0], padding[1][0], 0],
    [0, padding[0][1], padding[1][1], 0],
  );
  return Array.from({ length: rows * columns }, (_, k) => {
    const [row, column] = [Math.floor(k / columns), k % columns];
    const start = [0, row * dilation[0], column * dilation[1], 0];
    const limit = [
      batch,
      start[1]! + (out[0] - 1) * stride[0] + 1,
      start[2]! + (out[1] - 1) * stride[1] + 1,
      channels,
    ];
    const image = hlo.slice(padded, start, limit, [1, ...stride, 1]);
    const weight = hlo.reshape(hlo.slice(filter, [row, column, 0], [row + 1, column + 1, channels]), [
      channels,
    ]);
    return { row, column, value: hlo.add(image, hlo.broadcastTo(weight, image.shape)) };
  });
}

const dilate = (all: readonly Term[]) => all.map(({ value }) => value).reduce(hlo.maximum);

/** dy where a place is the first with the window's maximum, and zero elsewhere; for each place. */
function shares(all: readonly Term[], dy: Value): readonly (Term & { readonly share: Value })[] {
  const best = dilate(all);
  const zero = hlo.splatLike(dy, 0);
  let open = hlo.splat(dy.graph, 'i1', dy.shape, 1);
  return all.map((term) => {
    const wins = hlo.and(open, hlo.compare('EQ', term.value, best));
    open = hlo.and(open, hlo.not(wins));
    return { ...term, share: hlo.select(wins, dy, zero) };
  });
}

function backFilter(x: Value, filter: Value, dy: Value, geometry: Geometry): Value {
  const [, , channels] = filter.shape as [number, number, number];
  const rows = shares(terms(x, filter, geometry), dy).map(({ share }) =>
    hlo.reshape(hlo.reduce('add', share, [0, 1, 2]), [1, channels]),
  );
  return hlo.reshape(hlo.concatenate(rows, 0), filter.shape);
}

function backInput(x: Value, filter: Value, dy: Value, geometry: Geometry): Value {
  const { out, stride, dilation, padding } = geometry;
  const zero = hlo.scalar(x.graph, x.type, 0);
  return shares(terms(x, filter, geometry), dy)
    .map(({ row, column, share }) => {
      const at = [row * dilation[0] - padding[0][0], column * dilation[1] - padding[1][0]] as const;
      const after = ([0, 1] as const).map((i) => x.shape[i + 1]! - (at[i] + (out[i] - 1) * stride[i] + 1));
      const low = [0, ...at, 0];
      const high = [0, ...after, 0];
      return hlo.pad(share, zero, low, high, [0, stride[0] - 1, stride[1] - 1, 0]);
    })
    .reduce(hlo.add);
}

export const morphology = {
  Dilation2D: lower<'x' | 'filter', Dilation2DAttrs>(({ x, filter }, attrs) =>
    dilate(terms(x, filter, geometryOf(x, filter, attrs))),
  ),
  Dilation2DBackpropFilter: lower<'x' | 'filter' | 'dy', Dilation2DAttrs>(({ x, filter, dy }, attrs) =>
    backFilter(x, filter, dy, geometryOf(x, filter, attrs)),
  ),
  Dilation2DBackpropInput: lower<'x' | 'filter' | 'dy', Dilation2DAttrs>(({ x, filter, dy }, attrs) =>
    backInput(x, filter, dy, geometryOf(x, filter, attrs)),
  ),
} satisfies LoweringTable;
