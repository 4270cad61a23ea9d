// The gradients of tfjs's kernels. tfjs has its own, but only as ES modules that Node can't load beside the CommonJS
// build, and some are wrong or partial (Tile beyond rank 4, MirrorPad, Maximum with broadcasting, ties of Max). These
// follow JAX's rules. A kernel that isn't here has no gradient, and tfjs says so when one is asked for.

import {
  add,
  type AvgPoolAttrs,
  type BatchMatMulAttrs,
  batchToSpaceND,
  type BatchToSpaceNDAttrs,
  broadcastTo,
  cast,
  type ClipByValueAttrs,
  clone,
  concat,
  type ConcatAttrs,
  conv2d,
  type Conv2DAttrs,
  type Conv2DBackpropInputAttrs,
  cos,
  cumsum,
  type CumsumAttrs,
  type DepthwiseConv2dNativeAttrs,
  div,
  engine,
  equal,
  exp,
  floor,
  gather,
  type GatherV2Attrs,
  greater,
  greaterEqual,
  lessEqual,
  log,
  logicalAnd,
  logicalNot,
  matMul,
  maximum,
  type MaxPoolAttrs,
  mul,
  type NamedAttrMap,
  type NamedTensorMap,
  neg,
  type PackAttrs,
  pad,
  type PadV2Attrs,
  pow,
  registerGradient,
  reshape,
  reverse,
  type ReverseAttrs,
  rsqrt,
  sigmoid,
  sign,
  sin,
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
  sub,
  sum,
  type SumAttrs,
  type Tensor,
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

type Gradients = Record<string, () => Tensor>;

/** A kernel's gradient from what is saved: the inputs named in `inputs`, then the result if `result`. */
function rule<Attrs>(
  kernelName: string,
  saved: { readonly inputs?: readonly string[]; readonly result?: boolean; readonly allInputs?: boolean },
  grad: (dy: Tensor, saved: Tensor[], attrs: Attrs) => Gradients,
): void {
  registerGradient({
    kernelName,
    inputsToSave: [...(saved.inputs ?? [])],
    outputsToSave: saved.result ? [true] : [],
    saveAllInputs: saved.allInputs ?? false,
    gradFunc: (dy, values, attrs) => grad(dy as Tensor, values, attrs as unknown as Attrs),
  });
}

/** Kernels of one input `x`: from x, or from the result y. */
const fromInput = <Attrs>(
  kernel: string,
  grad: (dy: Tensor, x: Tensor, attrs: Attrs) => Tensor,
  input = 'x',
) =>
  rule<Attrs>(kernel, { inputs: [input] }, (dy, [x], attrs) => ({
    [input]: () => grad(dy, x as Tensor, attrs),
  }));
/**
 * The saved result is a copy that tfjs puts on the tape before the kernel itself, so that an outer tape would take it for
 * a constant and give a wrong second derivative. Under two tapes the input is saved too, and the result computed again.
 */
const fromResult = <Attrs>(
  kernelName: string,
  grad: (dy: Tensor, y: Tensor, attrs: Attrs) => Tensor,
  input = 'x',
) =>
  registerGradient({
    kernelName,
    get inputsToSave() {
      return engine().state.gradientDepth > 1 ? [input] : [];
    },
    outputsToSave: [true],
    gradFunc: (dy, saved, attrs) => {
      const [first, second] = saved as [Tensor, Tensor?];
      const y = () => (second ? run(kernelName, { [input]: first }, attrs) : first);
      return { [input]: () => grad(dy as Tensor, y(), attrs as unknown as Attrs) };
    },
  });
const fromNothing = <Attrs>(kernel: string, grad: (dy: Tensor, attrs: Attrs) => Tensor, input = 'x') =>
  rule<Attrs>(kernel, {}, (dy, _saved, attrs) => ({ [input]: () => grad(dy, attrs) }));

type Partial2 = (dy: Tensor, a: Tensor, b: Tensor) => Tensor;
/** Kernels of two inputs that broadcast against each other. */
const binary = (kernel: string, gradA: Partial2, gradB: Partial2) =>
  rule(kernel, { inputs: ['a', 'b'] }, (dy, [a, b]) => ({
    a: () => sumTo(gradA(dy, a as Tensor, b as Tensor), (a as Tensor).shape),
    b: () => sumTo(gradB(dy, a as Tensor, b as Tensor), (b as Tensor).shape),
  }));

/** Kernels that are constant almost everywhere. */
const flat = (kernel: string, ...inputs: readonly string[]) =>
  rule(kernel, { inputs }, (_dy, saved) =>
    Object.fromEntries(inputs.map((name, i) => [name, () => zeros((saved[i] as Tensor).shape)])),
  );

/** Undoes broadcasting: x summed over the axes in which `shape` was stretched. Always a tensor of its own. */
function sumTo(x: Tensor, shape: readonly number[]): Tensor {
  const lead = x.rank - shape.length;
  const axes = x.shape.flatMap((size, axis) => (axis < lead || shape[axis - lead] !== size ? [axis] : []));
  return reshape(axes.length > 0 ? sum(x, axes) : x, shape as number[]);
}

/** A reduction's result or its gradient, with the reduced axes back as ones. */
function keepDims(y: Tensor, x: Tensor, axis: SumAttrs['axis']): Tensor {
  const reduced = util.parseAxisParam(axis as number, x.shape);
  return reshape(
    y,
    x.shape.map((size, i) => (reduced.includes(i) ? 1 : size)),
  );
}

function sizeOfReduced(x: Tensor, axis: SumAttrs['axis']): number {
  return util.parseAxisParam(axis as number, x.shape).reduce((size, i) => size * (x.shape[i] as number), 1);
}

const float = (condition: Tensor) => cast(condition, 'float32');
const run = (kernel: string, inputs: NamedTensorMap, attrs: object): Tensor =>
  engine().runKernel(kernel, inputs, attrs as NamedAttrMap) as Tensor;

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

  for (const kernel of ['Ceil', 'Floor', 'IsFinite', 'IsNan', 'LogicalNot', 'OnesLike', 'Round', 'Sign'])
    flat(kernel, 'x');
  for (const kernel of ['ArgMax', 'ArgMin', 'Step', 'ZerosLike']) flat(kernel, 'x');
  for (const kernel of ['Equal', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'NotEqual'])
    flat(kernel, 'a', 'b');
  for (const kernel of ['FloorDiv', 'LogicalAnd', 'LogicalOr']) flat(kernel, 'a', 'b');
  flat('OneHot', 'indices');
}

function registerReductions(): void {
  const spread = (dy: Tensor, x: Tensor, axis: SumAttrs['axis']) =>
    broadcastTo(keepDims(dy, x, axis), x.shape);
  fromInput<SumAttrs>('Sum', (dy, x, { axis }) => spread(dy, x, axis));
  fromInput<SumAttrs>('Mean', (dy, x, { axis }) => spread(div(dy, sizeOfReduced(x, axis)), x, axis));
  // Equal extremes share the gradient.
  for (const kernel of ['Max', 'Min']) {
    rule<{ reductionIndices?: number[]; axis?: number[] }>(
      kernel,
      { inputs: ['x'], result: true },
      (dy, [x, y], { reductionIndices, axis = reductionIndices }) => ({
        x: () => {
          const input = x as Tensor;
          const axes = util.parseAxisParam(axis as number[], input.shape);
          const chosen = float(equal(input, keepDims(y as Tensor, input, axes)));
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

function inverse(perm: readonly number[]): number[] {
  return perm.map((_, axis) => perm.indexOf(axis));
}

/** Adds the rows of dy to those of x that they were taken from. */
function gatherGradient(dy: Tensor, x: Tensor, indices: Tensor, axis: number, batchDims: number): Tensor {
  if (batchDims !== 0) throw new Error('gather with batch dimensions has no gradient: use oneHot and einsum');
  const [along] = util.parseAxisParam(axis, x.shape) as [number];
  const flatIndices = reshape(indices, [indices.size]);
  const rows = reshape(dy, [...x.shape.slice(0, along), indices.size, ...x.shape.slice(along + 1)]);
  if (along === 0) return unsortedSegmentSum(rows, flatIndices as never, x.shape[0] as number);
  const front = [along, ...x.shape.map((_, i) => i).filter((i) => i !== along)];
  const summed = unsortedSegmentSum(transpose(rows, front), flatIndices as never, x.shape[along] as number);
  return transpose(summed, inverse(front));
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
  rule<DepthwiseConv2dNativeAttrs>(
    'DepthwiseConv2dNative',
    { inputs: ['x', 'filter'] },
    (dy, saved, attrs) => {
      const [x, filter] = saved as [Tensor, Tensor];
      const { strides, pad: padding, dilations, dimRoundingMode } = attrs;
      const common = { strides, pad: padding, dilations, dimRoundingMode };
      const inputKernel = 'DepthwiseConv2dNativeBackpropInput';
      const filterKernel = 'DepthwiseConv2dNativeBackpropFilter';
      return {
        x: () => run(inputKernel, { dy, filter }, { ...common, inputShape: x.shape }),
        filter: () => run(filterKernel, { x, dy }, { ...common, filterShape: filter.shape }),
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
  registerContractions();
}
