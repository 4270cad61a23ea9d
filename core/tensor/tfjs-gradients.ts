// The gradients of tfjs's kernels. tfjs has its own, but only as ES modules that Node can't load beside the CommonJS
// build, and some are wrong or partial (Tile beyond rank 4, MirrorPad, Maximum with broadcasting, ties of Max). These
// follow JAX's rules. A kernel that isn't here has no gradient, and tfjs says so when one is asked for.

import {
  add,
  type AvgPoolAttrs,
  backend_util,
  type BatchMatMulAttrs,
  batchToSpaceND,
  type BatchToSpaceNDAttrs,
  cast,
  type ClipByValueAttrs,
  clone,
  concat,
  type ConcatAttrs,
  conv2d,
  type Conv2DAttrs,
  type Conv2DBackpropFilterAttrs,
  type Conv2DBackpropInputAttrs,
  cos,
  cosh,
  cumprod,
  cumsum,
  type CumsumAttrs,
  type DepthwiseConv2dNativeAttrs,
  div,
  equal,
  exp,
  floor,
  gather,
  gatherND,
  type GatherV2Attrs,
  greater,
  greaterEqual,
  type LeakyReluAttrs,
  lessEqual,
  log,
  logicalAnd,
  logicalNot,
  type LogSoftmaxAttrs,
  matMul,
  max,
  maximum,
  type MaxPoolAttrs,
  min,
  minimum,
  type MirrorPadAttrs,
  mul,
  neg,
  type PackAttrs,
  pad,
  type PadV2Attrs,
  pow,
  type ProdAttrs,
  range,
  registerGradient,
  reshape,
  reverse,
  type ReverseAttrs,
  rsqrt,
  scalar,
  scatterND,
  sigmoid,
  sign,
  sin,
  sinh,
  slice,
  slice_util,
  type SliceAttrs,
  type SoftmaxAttrs,
  spaceToBatchND,
  type SpaceToBatchNDAttrs,
  split,
  type SplitVAttrs,
  square,
  stack,
  type StridedSliceAttrs,
  sub,
  sum,
  type SumAttrs,
  type Tensor,
  tensor1d,
  type Tensor1D,
  tensorScatterUpdate,
  type TileAttrs,
  transpose,
  type TransposeAttrs,
  type UnpackAttrs,
  unsortedSegmentSum,
  unstack,
  util,
  where,
  zeros,
  zerosLike,
} from '@tensorflow/tfjs-core';
import { broadcastTo } from './broadcast';
import {
  binary,
  flat,
  float,
  fromInput,
  fromNothing,
  fromResult,
  keepDims,
  type Partial2,
  rule,
  run,
  sizeOfReduced,
  sumTo,
} from './gradient-rule';
import { runOwn } from './own-ops';
import { byPosition } from './own-rules';
import { registerVolumeGradients } from './volume-gradients';

function registerElementwise(): void {
  fromInput('Abs', (dy, x) => mul(dy, sign(x)));
  fromInput('Cos', (dy, x) => neg(mul(dy, sin(x))));
  fromInput('Erf', (dy, x) => mul(dy, mul(2 / Math.sqrt(Math.PI), exp(neg(square(x))))));
  fromInput('Log', (dy, x) => div(dy, x));
  fromInput('Log1p', (dy, x) => div(dy, add(x, 1)));
  fromInput('Relu', (dy, x) => where(greater(x, 0), dy, zerosLike(dy)));
  fromInput('Sin', (dy, x) => mul(dy, cos(x)));
  fromInput('Softplus', (dy, x) => mul(dy, sigmoid(x)));
  fromInput('Square', (dy, x) => mul(dy, mul(2, x)));
  fromInput<ClipByValueAttrs>('ClipByValue', (dy, x, { clipValueMin, clipValueMax }) =>
    where(logicalAnd(greaterEqual(x, clipValueMin), lessEqual(x, clipValueMax)), dy, zerosLike(dy)),
  );

  fromResult('Exp', (dy, y) => mul(dy, y));
  fromResult('Expm1', (dy, y) => mul(dy, add(y, 1)));
  fromResult('Reciprocal', (dy, y) => neg(mul(dy, square(y))));
  fromResult('Sigmoid', (dy, y) => mul(dy, mul(y, sub(1, y))));
  fromResult('Sqrt', (dy, y) => mul(dy, div(0.5, y)));
  fromResult('Tan', (dy, y) => mul(dy, add(1, square(y))));
  fromResult('Tanh', (dy, y) => mul(dy, sub(1, square(y))));
  fromInput('Rsqrt', (dy, x) => mul(dy, div(mul(-0.5, rsqrt(x)), x)));

  registerHyperbolic();
  registerActivations();

  fromNothing('Neg', (dy) => neg(dy));
  fromNothing('Cast', (dy) => cast(dy, 'float32'));
  fromNothing('Identity', (dy) => clone(dy));
  rule('AddN', { allInputs: true }, (dy, saved) =>
    Object.fromEntries(saved.map((_, i) => [String(i), () => clone(dy)])),
  );

  const same: Partial2 = (dy) => dy;
  const prefers = (a: Tensor, b: Tensor) => add(float(greater(a, b)), mul(0.5, float(equal(a, b))));
  binary('Add', same, same);
  binary('Sub', same, (dy) => neg(dy));
  binary(
    'Multiply',
    (dy, _a, b) => mul(dy, b),
    (dy, a) => mul(dy, a),
  );
  binary(
    'RealDiv',
    (dy, _a, b) => div(dy, b),
    (dy, a, b) => neg(div(mul(dy, div(a, b)), b)),
  );
  binary('Mod', same, (dy, a, b) => neg(mul(dy, floor(div(a, b)))));
  binary(
    'Maximum',
    (dy, a, b) => mul(dy, prefers(a, b)),
    (dy, a, b) => mul(dy, prefers(b, a)),
  );
  binary(
    'Minimum',
    (dy, a, b) => mul(dy, prefers(b, a)),
    (dy, a, b) => mul(dy, prefers(a, b)),
  );
  binary(
    'SquaredDifference',
    (dy, a, b) => mul(dy, mul(2, sub(a, b))),
    (dy, a, b) => mul(dy, mul(2, sub(b, a))),
  );
  // At a base of 0 the powers 0 and 1, and the logarithm, must not make a NaN.
  binary(
    'Pow',
    (dy, a, b) => {
      const one = add(zerosLike(b), 1);
      return mul(dy, mul(b, pow(a, where(equal(b, 0), one, sub(b, 1)))));
    },
    (dy, a, b) => mul(dy, mul(pow(a, b), log(where(equal(a, 0), add(zerosLike(a), 1), a)))),
  );
  rule('Select', { inputs: ['condition'] }, (dy, [condition]) => ({
    condition: () => zeros((condition as Tensor).shape),
    t: () => where(condition as Tensor, dy, zerosLike(dy)),
    e: () => where(logicalNot(condition as Tensor), dy, zerosLike(dy)),
  }));

  for (const kernel of [
    'Ceil',
    'Floor',
    'IsFinite',
    'IsInf',
    'IsNan',
    'LogicalNot',
    'OnesLike',
    'Round',
    'Sign',
  ])
    flat(kernel, 'x');
  for (const kernel of ['ArgMax', 'ArgMin', 'Step', 'ZerosLike']) flat(kernel, 'x');
  for (const kernel of ['Equal', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'NotEqual'])
    flat(kernel, 'a', 'b');
  for (const kernel of ['FloorDiv', 'LogicalAnd', 'LogicalOr']) flat(kernel, 'a', 'b');
  flat('OneHot', 'indices');
}

/** And their inverses. */
function registerHyperbolic(): void {
  const oneMinusSquare = (x: Tensor) => sub(1, square(x));
  fromInput('Acos', (dy, x) => neg(mul(dy, rsqrt(oneMinusSquare(x)))));
  fromInput('Asin', (dy, x) => mul(dy, rsqrt(oneMinusSquare(x))));
  fromInput('Atan', (dy, x) => div(dy, add(1, square(x))));
  fromInput('Acosh', (dy, x) => mul(dy, rsqrt(sub(square(x), 1))));
  fromInput('Asinh', (dy, x) => mul(dy, rsqrt(add(square(x), 1))));
  fromInput('Atanh', (dy, x) => div(dy, oneMinusSquare(x)));
  fromInput('Cosh', (dy, x) => mul(dy, sinh(x)));
  fromInput('Sinh', (dy, x) => mul(dy, cosh(x)));
  const squareSum = (a: Tensor, b: Tensor) => add(square(a), square(b));
  binary(
    'Atan2',
    (dy, a, b) => mul(dy, div(b, squareSum(a, b))),
    (dy, a, b) => neg(mul(dy, div(a, squareSum(a, b)))),
  );
}

function registerActivations(): void {
  const { SELU_SCALE: scale, SELU_SCALEALPHA: scaleAlpha } = backend_util;
  const positive = (x: Tensor) => greater(x, 0);
  fromResult('Elu', (dy, y) => where(positive(y), dy, mul(dy, add(y, 1))));
  // What isn't taken must not overflow: 0 times Infinity is NaN.
  fromInput('Selu', (dy, x) =>
    mul(dy, where(positive(x), add(zerosLike(x), scale), mul(scaleAlpha, exp(minimum(x, 0))))),
  );
  fromInput<LeakyReluAttrs>('LeakyRelu', (dy, x, { alpha }) => where(positive(x), dy, mul(dy, alpha)));
  fromInput('Relu6', (dy, x) => where(logicalAnd(positive(x), lessEqual(x, 6)), dy, zerosLike(dy)));
  rule('Prelu', { inputs: ['x', 'alpha'] }, (dy, saved) => {
    const [x, alpha] = saved as [Tensor, Tensor];
    return {
      x: () => sumTo(where(positive(x), dy, mul(dy, alpha)), x.shape),
      alpha: () => sumTo(where(positive(x), zerosLike(dy), mul(dy, x)), alpha.shape),
    };
  });
}

function registerReductions(): void {
  const spread = (dy: Tensor, x: Tensor, axis: SumAttrs['axis']) =>
    broadcastTo(keepDims(dy, x, axis), x.shape);
  fromInput<SumAttrs>('Sum', (dy, x, { axis }) => spread(dy, x, axis));
  fromInput<SumAttrs>('Mean', (dy, x, { axis }) => spread(div(dy, sizeOfReduced(x, axis)), x, axis));
  // Equal extremes share the gradient. They are looked for anew: where a compiler computes x for its extreme and once more for
  // the comparison, the last bits may differ, and none would be equal.
  for (const [kernel, extremeOf] of Object.entries({ Max: max, Min: min })) {
    rule<{ reductionIndices?: number[]; axis?: number[] }>(
      kernel,
      { inputs: ['x'] },
      (dy, [x], { reductionIndices, axis = reductionIndices }) => ({
        x: () => {
          const [input] = runOwn('OptimizationBarrier', byPosition([x as Tensor]), {}) as [Tensor];
          const axes = util.parseAxisParam(axis as number[], input.shape);
          const chosen = float(equal(input, extremeOf(input, axes, true)));
          return mul(chosen, div(keepDims(dy, input, axes), sum(chosen, axes, true)));
        },
      }),
    );
  }
  fromResult<SoftmaxAttrs>(
    'Softmax',
    (dy, y, { dim }) => {
      const weighted = mul(dy, y);
      return sub(weighted, mul(sum(weighted, [dim], true), y));
    },
    'logits',
  );
  fromResult<LogSoftmaxAttrs>(
    'LogSoftmax',
    (dy, y, { axis }) => sub(dy, mul(sum(dy, [axis], true), exp(y))),
    'logits',
  );
  fromInput<ProdAttrs>('Prod', (dy, x, { axis }) => mul(keepDims(dy, x, axis), productOfOthers(x, axis)));
  fromNothing<CumsumAttrs>('Cumsum', (dy, { axis, exclusive, reverse: backwards }) =>
    cumsum(dy, axis, exclusive, !backwards),
  );
  rule('UnsortedSegmentSum', { inputs: ['segmentIds'] }, (dy, [ids]) => ({
    x: () => {
      const segments = ids as Tensor;
      const rows = gather(dy, maximum(segments, zerosLike(segments)));
      // Elements of negative segments were dropped.
      const kept = reshape(greaterEqual(segments, zerosLike(segments)), [
        ...segments.shape,
        ...Array<number>(rows.rank - segments.rank).fill(1),
      ]);
      return where(kept, rows, zerosLike(rows));
    },
  }));
}

/** For each element the product of the others along the axes: x / product would be NaN at zeros. */
function productOfOthers(x: Tensor, axis: ProdAttrs['axis']): Tensor {
  const reduced = util.parseAxisParam(axis as number, x.shape);
  const kept = x.shape.map((_, i) => i).filter((i) => !reduced.includes(i));
  const order = [...kept, ...reduced];
  const last = transpose(x, order);
  const rows = reshape(last, [...kept.map((i) => x.shape[i] as number), sizeOfReduced(x, axis)]);
  // An axis that is counted from the end isn't right on every eager backend.
  const along = kept.length;
  const others = mul(cumprod(rows, along, true), cumprod(rows, along, true, true));
  return transpose(reshape(others, last.shape), inverse(order));
}

function registerShapes(): void {
  fromInput('Reshape', (dy, x) => reshape(dy, x.shape));
  fromInput('ExpandDims', (dy, x) => reshape(dy, x.shape), 'input');
  fromInput('BroadcastTo', (dy, x) => sumTo(dy, x.shape));
  fromInput<TileAttrs>('Tile', (dy, x, { reps }) => {
    // Each repeated axis becomes two: the copies, which are summed, and the axis itself.
    const axes: number[] = [];
    const shape = x.shape.flatMap((size, i) => (reps[i] === 1 ? [size] : [reps[i] as number, size]));
    let at = 0;
    for (const count of reps) {
      if (count !== 1) axes.push(at);
      at += count === 1 ? 1 : 2;
    }
    return reshape(axes.length > 0 ? sum(reshape(dy, shape), axes) : dy, x.shape);
  });
  fromNothing<TransposeAttrs>('Transpose', (dy, { perm }) => transpose(dy, inverse(perm)));
  fromNothing<ReverseAttrs>('Reverse', (dy, { dims }) => reverse(dy, dims));
  fromInput<SliceAttrs>('Slice', (dy, x, { begin, size }) => {
    const [from, sizes] = slice_util.parseSliceParams(x, begin, size) as [number[], number[]];
    const around = x.shape.map((length, i): [number, number] => {
      const before = from[i] as number;
      return [before, length - before - (sizes[i] as number)];
    });
    return pad(dy, around);
  });
  fromInput<StridedSliceAttrs>('StridedSlice', stridedSliceGradient);
  rule<MirrorPadAttrs>('MirrorPad', { inputs: ['x'] }, (dy, [x], { paddings, mode }) => ({
    x: () =>
      paddings.reduce(
        (folded, [before], axis) =>
          foldMirror(folded, axis, before, (x as Tensor).shape[axis] as number, mode === 'reflect' ? 1 : 0),
        dy,
      ),
  }));
  fromInput<PadV2Attrs>('PadV2', (dy, x, { paddings }) =>
    slice(
      dy,
      paddings.map(([before]) => before),
      x.shape,
    ),
  );
  rule<ConcatAttrs>('Concat', { allInputs: true }, (dy, saved, { axis }) => {
    const [along] = util.parseAxisParam(axis, (saved[0] as Tensor).shape) as [number];
    const parts = split(
      dy,
      saved.map(({ shape }) => shape[along] as number),
      along,
    );
    return Object.fromEntries(parts.map((part, i) => [String(i), () => part]));
  });
  rule<PackAttrs>('Pack', { allInputs: true }, (dy, _saved, { axis }) =>
    Object.fromEntries(unstack(dy, axis).map((part, i) => [String(i), () => part])),
  );
  // tfjs passes a list of one as its element.
  const listOf = (dy: Tensor) => [dy as Tensor | Tensor[]].flat();
  fromNothing<SplitVAttrs>('SplitV', (dy, { axis }) => concat(listOf(dy), axis));
  fromNothing<UnpackAttrs>('Unpack', (dy, { axis }) => stack(listOf(dy), axis), 'value');
  fromNothing<SpaceToBatchNDAttrs>('SpaceToBatchND', (dy, { blockShape, paddings }) =>
    batchToSpaceND(dy, blockShape, paddings),
  );
  fromNothing<BatchToSpaceNDAttrs>('BatchToSpaceND', (dy, { blockShape, crops }) =>
    spaceToBatchND(dy, blockShape, crops),
  );
  rule<GatherV2Attrs>('GatherV2', { inputs: ['x', 'indices'] }, (dy, [x, indices], { axis, batchDims }) => ({
    x: () => gatherGradient(dy, x as Tensor, indices as Tensor, axis, batchDims),
    indices: () => zeros((indices as Tensor).shape),
  }));
}

function registerPlaces(): void {
  rule('GatherNd', { inputs: ['params', 'indices'] }, (dy, saved) => {
    const [params, indices] = saved as [Tensor, Tensor];
    return { params: () => scatterND(indices, dy, params.shape), indices: () => zeros(indices.shape) };
  });
  rule('ScatterNd', { inputs: ['indices'] }, (dy, [indices]) => ({
    updates: () => gatherND(dy, indices as Tensor),
    indices: () => zeros((indices as Tensor).shape),
  }));
  // Of equal indices one is chosen, and nobody says which.
  rule('TensorScatterUpdate', { inputs: ['indices', 'updates'] }, (dy, saved) => {
    const [indices, updates] = saved as [Tensor, Tensor];
    return {
      // A sum is a tensor of its own: cpu's kernel writes into its argument.
      tensor: () => tensorScatterUpdate(add(dy, 0), indices, zerosLike(updates)),
      updates: () => gatherND(dy, indices),
      indices: () => zeros(indices.shape),
    };
  });
}

/** Puts the elements of a strided slice back to where they were taken from, axis by axis. */
function stridedSliceGradient(dy: Tensor, x: Tensor, attrs: StridedSliceAttrs): Tensor {
  const { beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = attrs;
  const masks = [beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask] as const;
  const info = slice_util.sliceInfo(x.shape, attrs.begin, attrs.end, attrs.strides, ...masks);
  // With the axes that were dropped, and without new ones.
  const counts = slice_util.computeOutShape(info.begin, info.end, info.strides);
  return x.shape.reduce(
    (placed, length, axis) => {
      const [begin, stride, count] = [info.begin[axis], info.strides[axis], counts[axis]] as [
        number,
        number,
        number,
      ];
      if (count === length && stride === 1) return placed;
      const places = tensor1d(
        Int32Array.from({ length: count }, (_, i) => begin + i * stride),
        'int32',
      );
      const front = [axis, ...x.shape.map((_, i) => i).filter((i) => i !== axis)];
      return transpose(unsortedSegmentSum(transpose(placed, front), places, length), inverse(front));
    },
    reshape(dy, counts),
  );
}

/** Adds the gradient of an axis's mirrored ends to that of the elements they were copied from. */
function foldMirror(dy: Tensor, axis: number, before: number, length: number, offset: number): Tensor {
  const after = (dy.shape[axis] as number) - before - length;
  const part = (start: number, size: number) => {
    const begin = dy.shape.map((_, i) => (i === axis ? start : 0));
    return slice(
      dy,
      begin,
      dy.shape.map((all, i) => (i === axis ? size : all)),
    );
  };
  const placed = (start: number, size: number, at: number) =>
    pad(
      reverse(part(start, size), axis),
      dy.shape.map((_, i): [number, number] => (i === axis ? [at, length - at - size] : [0, 0])),
    );
  let folded = part(before, length);
  if (before > 0) folded = add(folded, placed(0, before, offset));
  if (after > 0) folded = add(folded, placed(before + length, after, length - offset - after));
  return folded;
}

/** The largest elements are gathered from x by the indices that are found with them. */
function registerTopK(): void {
  registerGradient({
    kernelName: 'TopK',
    inputsToSave: ['x'],
    outputsToSave: [false, true],
    gradFunc: (dy, saved) => {
      const [x, indices] = saved as [Tensor, Tensor];
      const last = x.rank - 1;
      return { x: () => gatherGradient((dy as Tensor[])[0] as Tensor, x, indices, last, last) };
    },
  });
}

function inverse(perm: readonly number[]): number[] {
  return perm.map((_, axis) => perm.indexOf(axis));
}

/** Adds the rows of dy to those of x that they were taken from. */
function gatherGradient(dy: Tensor, x: Tensor, indices: Tensor, axis: number, batchDims: number): Tensor {
  const [along] = util.parseAxisParam(axis, x.shape) as [number];
  const [lead] = batchDims < 0 ? [batchDims + indices.rank] : [batchDims];
  const batch = x.shape.slice(0, lead);
  const batches = util.sizeFromShape(batch);
  const length = x.shape[along] as number;
  const count = indices.size / Math.max(1, batches);
  // dy: [...batch, ...between, ...indices, ...rest]; the axis of the rows goes right behind the batch's.
  const others = x.shape.map((_, i) => i).filter((i) => i >= lead && i !== along);
  const front = [...batch.map((_, i) => i), along, ...others];
  const rows = reshape(dy, [...x.shape.slice(0, along), count, ...x.shape.slice(along + 1)]);
  const shape = others.map((i) => x.shape[i] as number);
  const flatRows = reshape(transpose(rows, front), [batches * count, ...shape]);
  const first = reshape(range(0, batches, 1, 'int32'), [batches, 1]);
  const places = add(reshape(indices, [batches, count]), mul(first, scalar(length, 'int32')));
  const flatPlaces = reshape(places, [batches * count]) as Tensor1D;
  const summed = unsortedSegmentSum(flatRows, flatPlaces, batches * length);
  return transpose(reshape(summed, [...batch, length, ...shape]), inverse(front));
}

function registerContractions(): void {
  rule<BatchMatMulAttrs>('BatchMatMul', { inputs: ['a', 'b'] }, (dy, saved, { transposeA, transposeB }) => {
    const [a, b] = saved as [Tensor, Tensor];
    // With A and B the matrices as multiplied: dA = dy B', dB = A' dy, each turned back if its operand was turned.
    const gradA = () => (transposeA ? matMul(b, dy, transposeB, true) : matMul(dy, b, false, !transposeB));
    const gradB = () => (transposeB ? matMul(dy, a, true, transposeA) : matMul(a, dy, !transposeA, false));
    return { a: () => sumTo(gradA(), a.shape), b: () => sumTo(gradB(), b.shape) };
  });

  rule<Conv2DAttrs>('Conv2D', { inputs: ['x', 'filter'] }, (dy, saved, attrs) => {
    const [x, filter] = saved as [Tensor, Tensor];
    const { strides, pad: padding, dataFormat, dimRoundingMode, dilations } = attrs;
    if ([dilations].flat().some((dilation) => dilation !== 1))
      throw new Error('conv2d with dilations has no gradient');
    const common = { strides, pad: padding, dataFormat, dimRoundingMode };
    return {
      x: () => run('Conv2DBackpropInput', { dy, filter }, { ...common, inputShape: x.shape }),
      filter: () => run('Conv2DBackpropFilter', { x, dy }, { ...common, filterShape: filter.shape }),
    };
  });
  rule<Conv2DBackpropInputAttrs>('Conv2DBackpropInput', { inputs: ['dy', 'filter'] }, (ddx, saved, attrs) => {
    const [dy, filter] = saved as [Tensor, Tensor];
    const { strides, pad: padding, dataFormat, dimRoundingMode } = attrs;
    const common = { strides, pad: padding, dataFormat, dimRoundingMode };
    return {
      dy: () =>
        conv2d(ddx as never, filter as never, strides, padding as 'same', dataFormat, 1, dimRoundingMode),
      filter: () => run('Conv2DBackpropFilter', { x: ddx, dy }, { ...common, filterShape: filter.shape }),
    };
  });
  rule<Conv2DBackpropFilterAttrs>('Conv2DBackpropFilter', { inputs: ['x', 'dy'] }, (ddf, saved, attrs) => {
    const [x, dy] = saved as [Tensor, Tensor];
    const { strides, pad: padding, dataFormat, dimRoundingMode } = attrs;
    const common = { strides, pad: padding, dataFormat, dimRoundingMode };
    return {
      x: () => run('Conv2DBackpropInput', { dy, filter: ddf }, { ...common, inputShape: x.shape }),
      dy: () => conv2d(x as never, ddf as never, strides, padding as 'same', dataFormat, 1, dimRoundingMode),
    };
  });
  // The convolution and its two gradients are one product of three, each by the other two.
  const depthwise = 'DepthwiseConv2dNative';
  rule<DepthwiseConv2dNativeAttrs>(depthwise, { inputs: ['x', 'filter'] }, (dy, saved, attrs) => {
    const [x, filter] = saved as [Tensor, Tensor];
    const { inputShape, filterShape } = { inputShape: x.shape, filterShape: filter.shape };
    return {
      x: () => run(`${depthwise}BackpropInput`, { dy, filter }, { ...attrs, inputShape }),
      filter: () => run(`${depthwise}BackpropFilter`, { x, dy }, { ...attrs, filterShape }),
    };
  });
  rule<DepthwiseConv2dNativeAttrs>(
    `${depthwise}BackpropInput`,
    { inputs: ['dy', 'filter'] },
    (x, saved, attrs) => {
      const [dy, filter] = saved as [Tensor, Tensor];
      return {
        dy: () => run(depthwise, { x, filter }, attrs),
        filter: () => run(`${depthwise}BackpropFilter`, { x, dy }, { ...attrs, filterShape: filter.shape }),
      };
    },
  );
  rule<DepthwiseConv2dNativeAttrs>(
    `${depthwise}BackpropFilter`,
    { inputs: ['x', 'dy'] },
    (filter, saved, attrs) => {
      const [x, dy] = saved as [Tensor, Tensor];
      return {
        x: () => run(`${depthwise}BackpropInput`, { dy, filter }, { ...attrs, inputShape: x.shape }),
        dy: () => run(depthwise, { x, filter }, attrs),
      };
    },
  );

  fromInput<AvgPoolAttrs>('AvgPool', (dy, x, { filterSize, strides, pad: padding }) =>
    run('AvgPoolGrad', { dy, input: x }, { filterSize, strides, pad: padding }),
  );
  rule<MaxPoolAttrs>('MaxPool', { inputs: ['x'], result: true }, (dy, saved, attrs) => {
    const [x, y] = saved as [Tensor, Tensor];
    const { filterSize, strides, pad: padding, dimRoundingMode } = attrs;
    const inputs = { dy, input: x, output: y };
    return { x: () => run('MaxPoolGrad', inputs, { filterSize, strides, pad: padding, dimRoundingMode }) };
  });
}

/** Called once, by the tensor module itself. */
export function registerTfjsGradients(): void {
  registerElementwise();
  registerReductions();
  registerShapes();
  registerPlaces();
  registerTopK();
  registerContractions();
  registerVolumeGradients();
}
