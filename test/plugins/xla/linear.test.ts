// Matrix products, convolutions, pooling and resizing, with their gradient kernels, against tfjs's cpu backend.

import * as tf from '@tensorflow/tfjs-core';
import { type HostArray } from '../../../core/array';
import { type Case, compareWithCpu, given, values } from './support';

type Run = (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];

/** A kernel by its name: for gradient kernels, which have no op. */
const kernel = (name: string, inputs: Record<string, tf.Tensor>, attrs: object) =>
  tf.engine().runKernel(name, inputs, attrs as tf.NamedAttrMap) as tf.Tensor;

const cases: Case[] = [];
const add = (name: string, run: Run, ...inputs: Case['inputs']) =>
  cases.push({ name, run, inputs, tolerance: 5e-6, ...about[name] });

/** What the comparison of gradients has to know. */
const about: Record<string, Partial<Case>> = {
  // cpu's ignores dilations, and is wrong where a window overlaps the padding.
  'depthwiseConv2d: dilated': { gradient: 'wrong on cpu' },
  'avgPool: same': { gradient: 'wrong on cpu' },
  'avgPool: overlapping': { gradient: 'wrong on cpu' },
  avgPool3d: { gradient: 'wrong on cpu' },
};

/**
 * The gradient kernel of a linear op, where cpu's own is wrong: for any probe the gradient of dy times the probe is dy
 * times the op of the probe.
 */
function addAdjoint(
  name: string,
  forward: (x: tf.Tensor) => tf.Tensor,
  gradient: (dy: tf.Tensor, x: tf.Tensor) => tf.Tensor,
  x: HostArray,
): void {
  const probes = [1, 3, 5].map((spread) => values(x.shape, spread / 3 + 0.01 * spread));
  const dyOf = (t: tf.Tensor) => tf.sin(tf.mul(forward(t), 3));
  cases.push({
    name,
    inputs: [x, ...probes],
    run: (t, ...ps) => ps.map((p) => tf.sum(tf.mul(gradient(dyOf(t), t), tf.cos(p)))),
    reference: (t, ...ps) => ps.map((p) => tf.sum(tf.mul(dyOf(t), forward(tf.cos(p))))),
    tolerance: 1e-5,
  });
}

// ---- matrix products
for (const [name, a, b] of [
  ['matrices', [3, 4], [4, 5]],
  ['batches', [2, 3, 4], [2, 4, 5]],
  ['a batch and a matrix', [2, 3, 4], [4, 5]],
  ['a batch and a batch of one', [2, 3, 4], [1, 4, 5]],
  ['a matrix and a batch', [3, 4], [2, 4, 5]],
  ['two batch dimensions', [2, 3, 3, 4], [2, 3, 4, 2]],
] as const) {
  add(`matMul of ${name}`, (x, y) => tf.matMul(x!, y!), values(a), values(b));
}
add(
  'matMul, transposed right',
  (x, y) => tf.matMul(x!, y!, false, true),
  values([2, 3, 4]),
  values([2, 5, 4]),
);
add('matMul, transposed left', (x, y) => tf.matMul(x!, y!, true), values([2, 4, 3]), values([2, 4, 5]));
add('matMul, both transposed', (x, y) => tf.matMul(x!, y!, true, true), values([4, 3]), values([5, 4]));
add(
  'matMul, batch with transposed matrix',
  (x, y) => tf.matMul(x!, y!, false, true),
  values([2, 3, 4]),
  values([5, 4]),
);
cases.push({
  name: 'matMul of batches that broadcast',
  inputs: [values([2, 1, 3, 4]), values([3, 4, 2])],
  run: (x, y) => tf.matMul(x, y),
  reference: (x, y) => tf.matMul(tf.tile(x, [1, 3, 1, 1]), tf.tile(tf.expandDims(y, 0), [2, 1, 1, 1])),
});
for (const activation of ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu'] as const) {
  add(
    `fused matMul with ${activation}`,
    (a, b, bias) => tf.fused.matMul({ a: a!, b: b!, bias: bias!, activation, leakyreluAlpha: 0.3 }),
    values([3, 4]),
    values([4, 5]),
    values([5]),
  );
}

// ---- convolutions
const image = values([2, 7, 6, 3]);
const filter = values([3, 2, 3, 4], 1);
const conv: readonly (readonly [string, number | [number, number], 'same' | 'valid' | number, number])[] = [
  ['same', 1, 'same', 1],
  ['valid, stride 2', 2, 'valid', 1],
  ['same, strides 2 and 1', [2, 1], 'same', 1],
  ['padding 1', 2, 1, 1],
  ['dilated', 1, 'same', 2],
];
for (const [name, strides, pad, dilations] of conv) {
  add(
    `conv2d: ${name}`,
    (x, w) =>
      tf.conv2d(
        x as tf.Tensor4D,
        w as tf.Tensor4D,
        strides,
        pad,
        'NHWC',
        dilations,
        pad === 1 ? 'floor' : undefined,
      ),
    image,
    filter,
  );
  add(
    `depthwiseConv2d: ${name}`,
    (x, w) =>
      tf.depthwiseConv2d(
        x as tf.Tensor4D,
        w as tf.Tensor4D,
        dilations > 1 ? 1 : 2,
        pad,
        'NHWC',
        dilations,
        pad === 1 ? 'floor' : undefined,
      ),
    image,
    values([3, 2, 3, 2], 1),
  );
  if (dilations > 1) continue;
  const attrs = { strides, pad, dataFormat: 'NHWC', dimRoundingMode: pad === 1 ? 'floor' : undefined };
  const forward = (x: tf.Tensor, w: tf.Tensor) =>
    tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, strides, pad, 'NHWC', 1, pad === 1 ? 'floor' : undefined);
  add(
    `conv2d by its input: ${name}`,
    (x, w) =>
      kernel('Conv2DBackpropInput', { dy: forward(x!, w!), filter: w! }, { ...attrs, inputShape: x!.shape }),
    image,
    filter,
  );
  add(
    `conv2d by its filter: ${name}`,
    (x, w) =>
      kernel('Conv2DBackpropFilter', { x: x!, dy: forward(x!, w!) }, { ...attrs, filterShape: w!.shape }),
    image,
    filter,
  );
  const depthwise = (x: tf.Tensor, w: tf.Tensor) =>
    tf.depthwiseConv2d(
      x as tf.Tensor4D,
      w as tf.Tensor4D,
      2,
      pad,
      'NHWC',
      1,
      pad === 1 ? 'floor' : undefined,
    );
  const depthwiseAttrs = { ...attrs, strides: 2, dilations: 1 };
  add(
    `depthwiseConv2d by its input: ${name}`,
    (x, w) =>
      kernel(
        'DepthwiseConv2dNativeBackpropInput',
        { dy: depthwise(x!, w!), filter: w! },
        { ...depthwiseAttrs, inputShape: x!.shape },
      ),
    image,
    values([3, 2, 3, 2], 1),
  );
  add(
    `depthwiseConv2d by its filter: ${name}`,
    (x, w) =>
      kernel(
        'DepthwiseConv2dNativeBackpropFilter',
        { x: x!, dy: depthwise(x!, w!) },
        { ...depthwiseAttrs, filterShape: w!.shape },
      ),
    image,
    values([3, 2, 3, 2], 1),
  );
}
const patches = { strides: [3, 2], pad: 'valid', dataFormat: 'NHWC' };
const patchFilter = values([3, 2, 3, 4], 1);
const patched = values([2, 6, 8, 3]);
const embed = (x: tf.Tensor, w: tf.Tensor) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, [3, 2], 'valid');
add('patches', (x, w) => embed(x!, w!), patched, patchFilter);
add(
  'patches by their input',
  (x, w) =>
    kernel('Conv2DBackpropInput', { dy: embed(x!, w!), filter: w! }, { ...patches, inputShape: x!.shape }),
  patched,
  patchFilter,
);
add(
  'patches by their filter',
  (x, w) =>
    kernel('Conv2DBackpropFilter', { x: x!, dy: embed(x!, w!) }, { ...patches, filterShape: w!.shape }),
  patched,
  patchFilter,
);
add(
  'conv2d, channels first',
  (x, w) => tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 2, 'same', 'NCHW'),
  values([2, 3, 7, 6]),
  filter,
);
add(
  'fused conv2d',
  (x, w, b) =>
    tf.fused.conv2d({
      x: x as tf.Tensor4D,
      filter: w as tf.Tensor4D,
      bias: b!,
      strides: 1,
      pad: 'same',
      activation: 'relu',
    }),
  image,
  filter,
  values([4]),
);
add(
  'fused depthwiseConv2d',
  (x, w, b) =>
    tf.fused.depthwiseConv2d({
      x: x as tf.Tensor4D,
      filter: w as tf.Tensor4D,
      bias: b!,
      strides: 1,
      pad: 'same',
      activation: 'relu',
    }),
  image,
  values([3, 2, 3, 2], 1),
  values([6]),
);
add(
  'conv1d',
  (x, w) => tf.conv1d(x as tf.Tensor3D, w as tf.Tensor3D, 2, 'same'),
  values([2, 7, 3]),
  values([3, 3, 4]),
);
add(
  'conv2dTranspose',
  (x, w) => tf.conv2dTranspose(x as tf.Tensor4D, w as tf.Tensor4D, [2, 8, 6, 3], 2, 'same'),
  values([2, 4, 3, 4]),
  values([3, 2, 3, 4], 1),
);
const volume = values([1, 4, 5, 4, 2]);
const volumeFilter = values([2, 3, 2, 2, 3], 1);
const conv3d = (x: tf.Tensor, w: tf.Tensor) => tf.conv3d(x as tf.Tensor5D, w as tf.Tensor5D, 2, 'same');
add('conv3d', (x, w) => conv3d(x!, w!), volume, volumeFilter);
add(
  'conv3d by its input',
  (x, w) =>
    kernel(
      'Conv3DBackpropInputV2',
      { dy: conv3d(x!, w!), filter: w! },
      { strides: 2, pad: 'same', inputShape: x!.shape },
    ),
  volume,
  volumeFilter,
);
add(
  'conv3d by its filter',
  (x, w) =>
    kernel(
      'Conv3DBackpropFilterV2',
      { x: x!, dy: conv3d(x!, w!) },
      { strides: 2, pad: 'same', filterShape: w!.shape },
    ),
  volume,
  volumeFilter,
);

// ---- pooling
for (const [name, filterSize, strides, pad] of [
  ['same', 3, 2, 'same'],
  ['valid', 2, 2, 'valid'],
  ['overlapping', [3, 2], 1, 'same'],
] as const) {
  const size = filterSize as number | [number, number];
  const attrs = { filterSize: size, strides, pad, dimRoundingMode: undefined };
  const max = (x: tf.Tensor) => tf.maxPool(x as tf.Tensor4D, size, strides, pad);
  const avg = (x: tf.Tensor) => tf.avgPool(x as tf.Tensor4D, size, strides, pad);
  add(`maxPool: ${name}`, (x) => max(x!), image);
  add(`avgPool: ${name}`, (x) => avg(x!), image);
  add(
    `maxPool's gradient: ${name}`,
    (x) => kernel('MaxPoolGrad', { dy: tf.square(max(x!)), input: x!, output: max(x!) }, attrs),
    image,
  );
  addAdjoint(
    `avgPool's gradient: ${name}`,
    avg,
    (dy, x) => kernel('AvgPoolGrad', { dy, input: x }, attrs),
    image,
  );
  add(
    `maxPoolWithArgmax: ${name}`,
    (x) =>
      Object.values(tf.maxPoolWithArgmax(x as tf.Tensor4D, size, strides, pad as 'same' | 'valid', true)),
    image,
  );
}
const max3d = (x: tf.Tensor) => tf.maxPool3d(x as tf.Tensor5D, 2, 2, 'same');
const avg3d = (x: tf.Tensor) => tf.avgPool3d(x as tf.Tensor5D, 2, 2, 'same');
const pool3d = { filterSize: 2, strides: 2, pad: 'same' };
add('maxPool3d', (x) => max3d(x!), volume);
add('avgPool3d', (x) => avg3d(x!), volume);
add(
  'maxPool3d by its input',
  (x) => kernel('MaxPool3DGrad', { dy: max3d(x!), input: x!, output: max3d(x!) }, pool3d),
  volume,
);
addAdjoint(
  'avgPool3d by its input',
  avg3d,
  (dy, x) => kernel('AvgPool3DGrad', { dy, input: x }, pool3d),
  volume,
);

// ---- resizing
for (const [name, align, half] of [
  ['plain', false, false],
  ['aligned corners', true, false],
  ['half-pixel centers', false, true],
] as const) {
  for (const size of [
    [4, 9],
    [13, 6],
  ] as const) {
    const to = [...size] as [number, number];
    const attrs = { alignCorners: align, halfPixelCenters: half, size: to };
    const bilinear = (x: tf.Tensor) => tf.image.resizeBilinear(x as tf.Tensor4D, to, align, half);
    const nearest = (x: tf.Tensor) => tf.image.resizeNearestNeighbor(x as tf.Tensor4D, to, align, half);
    add(`resizeBilinear to ${size}: ${name}`, (x) => bilinear(x!), image);
    add(`resizeNearestNeighbor to ${size}: ${name}`, (x) => nearest(x!), image);
    addAdjoint(
      `resizeBilinear's gradient to ${size}: ${name}`,
      bilinear,
      (dy, x) => kernel('ResizeBilinearGrad', { images: x, dy }, attrs),
      image,
    );
    addAdjoint(
      `resizeNearestNeighbor's gradient to ${size}: ${name}`,
      nearest,
      (dy, x) => kernel('ResizeNearestNeighborGrad', { images: x, dy }, attrs),
      image,
    );
  }
}
for (const method of ['bilinear', 'nearest'] as const) {
  add(
    `cropAndResize: ${method}`,
    (x, boxes, which) =>
      tf.image.cropAndResize(
        x as tf.Tensor4D,
        boxes as tf.Tensor2D,
        which as tf.Tensor1D,
        [4, 3],
        method,
        -1,
      ),
    image,
    given('float32', [3, 4], 0, 0, 1, 1, 0.2, 0.12, 0.7, 0.87, -0.3, 0.5, 0.4, 1.2),
    given('int32', [3], 1, 0, 1),
  );
}

// ---- the rest of image kernels
for (const [strides, pad, dilations] of [
  [1, 'same', 1],
  [2, 'valid', 1],
  [1, 'same', 2],
] as const) {
  const name = `stride ${strides}, ${pad}, dilation ${dilations}`;
  const attrs = { strides, pad, dilations };
  const w = values([2, 3, 3], 1);
  const dilate = (x: tf.Tensor, f: tf.Tensor) =>
    tf.dilation2d(x as tf.Tensor4D, f as tf.Tensor3D, strides, pad, dilations);
  // No two sums of a window are equal here.
  about[`dilation2d: ${name}`] = { at: [values(image.shape, 50), w] };
  add(`dilation2d: ${name}`, (x, f) => dilate(x!, f!), image, w);
  for (const by of ['Input', 'Filter'] as const) {
    add(
      `dilation2d by its ${by}: ${name}`,
      (x, f) => kernel(`Dilation2DBackprop${by}`, { x: x!, filter: f!, dy: tf.sin(dilate(x!, f!)) }, attrs),
      image,
      w,
    );
  }
}
for (const fill of [7, [1, 2, 3] as [number, number, number]]) {
  add(
    `rotateWithOffset, filled with ${fill}`,
    (x) => tf.image.rotateWithOffset(x as tf.Tensor4D, 0.7, fill, [0.4, 0.6]),
    image,
  );
}
for (const fillMode of ['constant', 'reflect', 'wrap', 'nearest'] as const) {
  for (const interpolation of ['nearest', 'bilinear'] as const) {
    const warp = (x: tf.Tensor, t: tf.Tensor) =>
      tf.image.transform(x as tf.Tensor4D, t as tf.Tensor2D, interpolation, fillMode, -1, [5, 8]);
    cases.push({
      name: `transform: ${interpolation}, ${fillMode}`,
      inputs: [
        image,
        given(
          'float32',
          [2, 8],
          1.1,
          0.23,
          -1.03,
          -0.31,
          0.97,
          2.07,
          0.011,
          0.003,
          0.7,
          0,
          0.313,
          0.117,
          1.873,
          -3.129,
          0,
          0,
        ),
      ],
      run: warp,
      // cpu transforms the first image alone.
      reference: (x, t) => tf.concat([0, 1].map((i) => warp(tf.slice(x, i, 1), tf.slice(t, i, 1)))),
      tolerance: 2e-5,
    });
  }
}
const lrn = { depthRadius: 1, bias: 1, alpha: 0.5, beta: 0.75 };
const responses = (x: tf.Tensor) => tf.localResponseNormalization(x as tf.Tensor4D, 1, 1, 0.5, 0.75);
add('localResponseNormalization', (x) => responses(x!), image);
add(
  'localResponseNormalization by its input',
  (x) => kernel('LRNGrad', { x: x!, y: responses(x!), dy: tf.sin(x!) }, lrn),
  image,
);
add(
  'broadcastArgs',
  (a, b) => tf.broadcastArgs(a!, b!),
  given('int32', [3], 2, 1, 5),
  given('int32', [2], 4, 1),
);
compareWithCpu(cases);
