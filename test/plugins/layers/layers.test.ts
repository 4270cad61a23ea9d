// The layers against their definitions, written out plainly; the recorded models (test/plugins/vit) pin them to Flax.

import { lecunNormal } from '../../../core/layers/init';
import { Scope, type ParamDeclaration } from '../../../core/layers/scope';
import * as tf from '../../../core/tensor';
import { nest, type NestedRecord } from '../../../core/tree';
import {
  attend,
  conv2d,
  type ConvOptions,
  dense,
  denseGeneral,
  dropout,
  embed,
  inStorage,
  layerNorm,
  mlpBlock,
  multiHeadAttention,
} from '../../../plugins/layers';
import { useEagerCpu } from '../../support/runtimes';

useEagerCpu();

type Layer = (scope: Scope) => tf.Tensor;

/** A tensor of numbers that look random. */
const numbers = (shape: number[], seed = 1) => {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(12.9898 * (i + 1) * seed) * 1.5),
    shape,
  );
};

function declare(layer: Layer): ParamDeclaration[] {
  const declared: ParamDeclaration[] = [];
  layer(Scope.declaring(declared));
  return declared;
}
const shapesOf = (layer: Layer) =>
  Object.fromEntries(declare(layer).map(({ name, spec }) => [name, spec.shape]));

/** The layer's result with made-up parameters, and these by name. */
function run(layer: Layer) {
  const named = declare(layer).map(({ name, spec }, i) => [name, numbers([...spec.shape], i + 2)] as const);
  const params = Object.fromEntries(named);
  return { y: layer(Scope.reading(nest(named) as NestedRecord<tf.Tensor>)), params };
}

function expectClose(got: tf.Tensor, want: tf.Tensor, within = 1e-5): void {
  expect(got.shape).toEqual(want.shape);
  expect(tf.max(tf.abs(tf.sub(got, want))).dataSync()[0]).toBeLessThan(within);
}

describe('dense', () => {
  const x = numbers([2, 3, 4]);

  test('x kernel + bias', () => {
    const { y, params } = run((scope) => dense(scope, x, 5));
    expectClose(y, tf.add(tf.einsum('abc,cd->abd', x, params.kernel), params.bias as tf.Tensor));
    expect(shapesOf((scope) => dense(scope, x, 5))).toEqual({ kernel: [4, 5], bias: [5] });
  });

  test('without bias', () => {
    expect(shapesOf((scope) => dense(scope, x, 5, { useBias: false }))).toEqual({ kernel: [4, 5] });
  });

  test('over several axes', () => {
    const layer: Layer = (scope) => denseGeneral(scope, x, { inputAxes: 2, features: [2, 3] });
    const { y, params } = run(layer);
    expectClose(y, tf.add(tf.einsum('abc,bcde->ade', x, params.kernel), params.bias as tf.Tensor));
    expect(shapesOf(layer)).toEqual({ kernel: [3, 4, 2, 3], bias: [2, 3] });
  });

  test('the fans of a kernel are those of the matrix', () => {
    const [kernel] = declare((scope) => denseGeneral(scope, x, { inputAxes: 2, features: [2, 3] }));
    const key = tf.tensor([0, 1], [2], 'int32');
    const matrix = lecunNormal()(key, [12, 6]);
    expectClose((kernel as ParamDeclaration).init(key, [3, 4, 2, 3]), tf.reshape(matrix, [3, 4, 2, 3]), 1e-9);
  });

  test('called twice, it shares its parameters', () => {
    const layer: Layer = (scope) => {
      const head = (x: tf.Tensor) => dense(scope.child('head'), x, 5);
      return tf.add(head(tf.mean(x, 1)), tf.mean(head(x), 1));
    };
    expect(Object.keys(shapesOf(layer))).toEqual(['head/kernel', 'head/bias']);
  });

  test('too few axes', () => {
    const layer: Layer = (scope) =>
      denseGeneral(scope.child('proj'), numbers([4]), { inputAxes: 2, features: [1] });
    expect(() => declare(layer)).toThrow(/^"proj": the input has shape \[4\], expected at least 2 axes/);
  });
});

describe('conv2d', () => {
  const image = numbers([2, 7, 6, 3]);
  const layerOf =
    (options: Omit<ConvOptions, 'features'>, x = image): Layer =>
    (scope) =>
      conv2d(scope, x, { features: 4, ...options });
  const plain = (params: Record<string, tf.Tensor>, strides: [number, number], pad: 'same' | 'valid') =>
    tf.add(
      tf.conv2d(image as tf.Tensor4D, params.kernel as tf.Tensor4D, strides, pad),
      params.bias as tf.Tensor,
    );

  test.each([
    [{ kernel: [3, 3] }, [1, 1], 'same'],
    [{ kernel: [3, 2], strides: [2, 1], padding: 'VALID' }, [2, 1], 'valid'],
    [{ kernel: [3, 2], strides: [3, 2], padding: 'VALID' }, [3, 2], 'valid'],
    [{ kernel: [2, 2], strides: [2, 2], padding: 'VALID' }, [2, 2], 'valid'],
  ] as const)('%j', (options, strides, pad) => {
    const { y, params } = run(layerOf(options));
    expectClose(y, plain(params, [...strides], pad));
  });

  test('explicit zeros around the image', () => {
    const padding = [
      [2, 1],
      [0, 1],
    ] as const;
    const { y, params } = run(layerOf({ kernel: [2, 2], strides: [2, 2], padding }));
    const padded = tf.pad(image, [[0, 0], ...padding.map(([a, b]): [number, number] => [a, b]), [0, 0]]);
    const want = tf.conv2d(padded as tf.Tensor4D, params.kernel as tf.Tensor4D, [2, 2], 'valid');
    expectClose(y, tf.add(want, params.bias as tf.Tensor));
  });

  test('patches have the gradient of the convolution', () => {
    const { params } = run(layerOf({ kernel: [3, 2], strides: [3, 2], padding: 'VALID' }));
    const weights = numbers([2, 2, 3, 4], 7);
    const gradients = (f: (x: tf.Tensor, kernel: tf.Tensor) => tf.Tensor) =>
      tf.valueAndGrads((x, kernel) => tf.sum(tf.mul(weights, f(x, kernel))) as tf.Scalar)([
        image,
        params.kernel as tf.Tensor,
      ]).grads;
    const ours = gradients((x, kernel) =>
      conv2d(Scope.reading({ kernel, bias: params.bias as tf.Tensor }), x, {
        features: 4,
        kernel: [3, 2],
        strides: [3, 2],
        padding: 'VALID',
      }),
    );
    const tfjs = gradients((x, kernel) =>
      tf.conv2d(x as tf.Tensor4D, kernel as tf.Tensor4D, [3, 2], 'valid'),
    );
    ours.forEach((gradient, i) => expectClose(gradient, tfjs[i] as tf.Tensor));
  });
});

describe('attention', () => {
  const x = numbers([2, 3, 8], 3);
  const kv = numbers([2, 5, 6], 4);

  /** Head by head, one query at a time. */
  function plain(
    params: Record<string, tf.Tensor>,
    q: tf.Tensor,
    kv: tf.Tensor,
    mask?: tf.Tensor,
  ): tf.Tensor {
    const project = (name: string, x: tf.Tensor) =>
      tf.add(
        tf.einsum('bld,dhs->blhs', x, params[`${name}/kernel`] as tf.Tensor),
        params[`${name}/bias`] as tf.Tensor,
      );
    const query = project('query', q);
    const scores = tf.div(
      tf.einsum('bqhs,bkhs->bhqk', query, project('key', kv)),
      Math.sqrt(query.shape[3] as number),
    );
    const hidden = mask ? tf.where(mask, scores, -1e9) : scores;
    const attended = tf.einsum('bhqk,bkhs->bqhs', tf.softmax(hidden), project('value', kv));
    const out = tf.einsum('bqhs,hsd->bqd', attended, params['out/kernel'] as tf.Tensor);
    return tf.add(out, params['out/bias'] as tf.Tensor);
  }

  test('to itself', () => {
    const layer: Layer = (scope) => multiHeadAttention(scope, { q: x }, { heads: 2 });
    const { y, params } = run(layer);
    expectClose(y, plain(params, x, x));
    expect(shapesOf(layer)).toEqual({
      'query/kernel': [8, 2, 4],
      'query/bias': [2, 4],
      'key/kernel': [8, 2, 4],
      'key/bias': [2, 4],
      'value/kernel': [8, 2, 4],
      'value/bias': [2, 4],
      'out/kernel': [2, 4, 8],
      'out/bias': [8],
    });
  });

  test('to other tokens of another width, with widths of its own', () => {
    const { y, params } = run((scope) =>
      multiHeadAttention(scope, { q: x, kv }, { heads: 3, qkvFeatures: 12, outFeatures: 7 }),
    );
    expectClose(y, plain(params, x, kv));
    expect(y.shape).toEqual([2, 3, 7]);
  });

  test('hidden keys have no weight; where all are hidden, all have the same', () => {
    const mask = tf.cast(tf.tensor([1, 0, 0, 1, 1, 0, 0, 0, 0], [1, 1, 3, 3]), 'bool');
    const { y, params } = run((scope) => multiHeadAttention(scope, { q: x }, { heads: 2, mask }));
    const seen = tf.cast(tf.tensor([1, 0, 0, 1, 1, 0, 1, 1, 1], [1, 1, 3, 3]), 'bool');
    const rows = (t: tf.Tensor) => tf.slice(t, [0, 0, 0], [2, 2, 8]);
    expectClose(rows(y), rows(plain(params, x, x, seen)));
    const uniform = tf.mul(params['query/kernel'] as tf.Tensor, 0);
    const flat = { ...params, 'query/kernel': uniform, 'query/bias': tf.zeros([2, 4]) };
    const last = (t: tf.Tensor) => tf.slice(t, [0, 2, 0], [2, 1, 8]);
    expectClose(last(y), last(plain(flat, x, x)));
  });

  test('shapes that don’t fit', () => {
    const layer =
      (q: tf.Tensor, kv?: tf.Tensor): Layer =>
      (scope) =>
        multiHeadAttention(scope.child('attn'), { q, kv }, { heads: 3 });
    expect(() => declare(layer(x))).toThrow(/^"attn": a width of 8 can't be divided into 3 heads/);
    expect(() => declare(layer(numbers([3, 6])))).toThrow(/^"attn": queries have shape \[3, 6\]/);
    expect(() => declare(layer(numbers([3, 2, 6]), kv))).toThrow(/^"attn": .*keys \[2, 5, 6\]/);
  });
});

describe('layerNorm', () => {
  const x = numbers([3, 4, 6]);

  test('mean 0 and variance 1 over the last axis, then scale and bias', () => {
    const { y, params } = run((scope) => layerNorm(scope, x));
    const { mean, variance } = tf.moments(x, -1, true);
    const normed = tf.div(tf.sub(x, mean), tf.sqrt(tf.add(variance, 1e-6)));
    expectClose(y, tf.add(tf.mul(normed, params.scale as tf.Tensor), params.bias as tf.Tensor));
  });

  test('either can be left out', () => {
    expect(shapesOf((scope) => layerNorm(scope, x, { useBias: false }))).toEqual({ scale: [6] });
    expect(shapesOf((scope) => layerNorm(scope, x, { useScale: false }))).toEqual({ bias: [6] });
  });

  test('constant and far-off rows give finite numbers and gradients', () => {
    const rows = tf.tensor([
      [5, 5, 5, 5],
      [1e4, 1e4, 1e4, 1e4 + 1],
    ]);
    const norm = (x: tf.Tensor) => layerNorm(Scope.reading({}), x, { useScale: false, useBias: false });
    expect([...norm(rows).dataSync()].every(Number.isFinite)).toBe(true);
    expect([...norm(rows).dataSync()].slice(0, 4)).toEqual([0, 0, 0, 0]);
    const gradient = tf.grad((x) => tf.sum(tf.square(norm(x))))(rows);
    expect([...gradient.dataSync()].every(Number.isFinite)).toBe(true);
  });
});

test('mlpBlock: dense, gelu, dense', () => {
  const x = numbers([2, 3, 4]);
  const { y, params } = run((scope) => mlpBlock(scope, x, { mlpDim: 5 }));
  const layer = (name: string, x: tf.Tensor) =>
    tf.add(
      tf.einsum('blc,cd->bld', x, params[`${name}/kernel`] as tf.Tensor),
      params[`${name}/bias`] as tf.Tensor,
    );
  expectClose(y, layer('Dense_1', tf.gelu(layer('Dense_0', x))));
  expect(shapesOf((scope) => mlpBlock(scope, x))['Dense_0/kernel']).toEqual([4, 16]);
});

describe('dropout', () => {
  const scope = () => Scope.reading({}, { dropout: tf.tensor([1, 2], [2], 'int32') });
  const x = tf.fill([1000], 3);

  test('only in training, and only at a rate', () => {
    expect(dropout(scope(), x, { rate: 0.5, train: false })).toBe(x);
    expect(dropout(scope(), x, { rate: 0, train: true })).toBe(x);
    expect(() => dropout(Scope.reading({}), x, { rate: 0.5, train: true })).toThrow(/dropout/);
  });

  test('keeps the mean; two of a scope are different', () => {
    const one = scope();
    const [first, second] = [0, 1].map(() => [
      ...dropout(one, x, { rate: 0.25, train: true }).dataSync(),
    ]) as [number[], number[]];
    expect(new Set(first)).toEqual(new Set([0, 4]));
    expect(first.filter((value) => value === 0).length / 1000).toBeCloseTo(0.25, 1);
    expect(first).not.toEqual(second);
  });
});

test('embed and attend: rows of a table, and products with them', () => {
  const options = { size: 4, features: 3 };
  const ids = tf.tensor([[0, 3, 3]], [1, 3], 'int32');
  const { y, params } = run((scope) => embed(scope, ids, options));
  expectClose(y, tf.gather(params.embedding as tf.Tensor, ids));
  expect(shapesOf((scope) => embed(scope, ids, options))).toEqual({ embedding: [4, 3] });
  const { y: logits } = run((scope) => attend(scope, numbers([2, 5, 3]), options));
  expectClose(logits, tf.einsum('blf,nf->bln', numbers([2, 5, 3]), params.embedding));
});

test('inStorage leaves a tensor alone where no type is asked for', () => {
  const x = numbers([2]);
  expect(inStorage(x, undefined)).toBe(x);
});
