// Kernels that make tensors of nothing but attributes (or of another tensor's shape).

import {
  type FillAttrs,
  type LinSpaceAttrs,
  type OneHotAttrs,
  type RangeAttrs,
  type TypedArray,
  util,
} from '@tensorflow/tfjs-core';
import { elementTypeOfTensor } from '../element-types';
import * as hlo from '../stablehlo';
import { lower, type LoweringTable } from './types';

type Dtype = 'float32' | 'int32' | 'bool';

/** Values on the host, with the dtype that tfjs gives them. */
export interface Created {
  readonly values: TypedArray;
  readonly shape: readonly number[];
  readonly dtype: Dtype;
}

function fill({ shape, value, dtype }: FillAttrs): Created {
  const type = (dtype ?? util.inferDtype(value)) as Dtype;
  const values = util.getTypedArrayFromDType(type, util.sizeFromShape(shape)) as TypedArray;
  return { values: values.fill(Number(value)), shape, dtype: type };
}

function linSpace({ start, stop, num }: LinSpaceAttrs): Created {
  const step = (stop - start) / (num - 1);
  const values = Float32Array.from({ length: num }, (_, i) => (i === 0 ? start : start + i * step));
  return { values, shape: [num], dtype: 'float32' };
}

function range({ start, stop, step, dtype }: RangeAttrs): Created {
  const empty = start === stop || (start < stop && step < 0) || (stop < start && step > 1);
  const size = empty ? 0 : Math.abs(Math.ceil((stop - start) / step));
  const down = stop < start && step === 1 ? -1 : step;
  const values = util.makeZerosTypedArray(size, dtype);
  for (let i = 0; i < size; i++) values[i] = start + i * down;
  return { values, shape: [size], dtype };
}

/** These have no tensors for inputs: outside of a trace they are made on the host. */
export const hostCreation = {
  Fill: fill,
  LinSpace: linSpace,
  Range: range,
} as const satisfies Record<string, (attrs: never) => Created>;

export const creationOps = {
  Fill: lower<never, FillAttrs>((_inputs, attrs, graph) => {
    const dtype = attrs.dtype ?? util.inferDtype(attrs.value);
    return hlo.splat(graph, elementTypeOfTensor(dtype), attrs.shape, Number(attrs.value));
  }),

  LinSpace: lower<never, LinSpaceAttrs>((_inputs, attrs, graph) => {
    const { values, shape } = linSpace(attrs);
    return hlo.dense(graph, 'f32', shape, values);
  }),

  Range: lower<never, RangeAttrs>((_inputs, attrs, graph) => {
    const { values, shape, dtype } = range(attrs);
    if (attrs.start === 0 && attrs.step === 1 && values.length > 0) {
      return hlo.iota(graph, elementTypeOfTensor(dtype), shape, 0);
    }
    return hlo.dense(graph, elementTypeOfTensor(dtype), shape, values as Float32Array | Int32Array);
  }),

  ZerosLike: lower<'x'>(({ x }) => hlo.splatLike(x, 0)),
  OnesLike: lower<'x'>(({ x }) => hlo.splatLike(x, 1)),

  OneHot: lower<'indices', OneHotAttrs>(({ indices }, { depth, onValue, offValue, dtype }, graph) => {
    const shape = [...indices.shape, depth];
    const type = elementTypeOfTensor(dtype ?? 'int32');
    const places = hlo.iota(graph, 'i32', shape, indices.shape.length);
    const wanted = hlo.broadcastInDim(
      hlo.convert(indices, 'i32'),
      shape,
      indices.shape.map((_, i) => i),
    );
    return hlo.select(
      hlo.compare('EQ', places, wanted),
      hlo.splat(graph, type, shape, onValue),
      hlo.splat(graph, type, shape, offValue),
    );
  }),
} satisfies LoweringTable;
