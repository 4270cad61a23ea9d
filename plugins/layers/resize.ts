// Resizing of grids of features, as jax.image.resize does it.

import * as tf from '../../core/tensor';

/**
 * The matrix [to][from] that resizes a line of `from` samples: linear, with half-pixel centres. With `antialias` the
 * triangle widens when it shrinks, as in jax.image.resize; without, it is tf.image.resize.
 */
export function linearWeights(from: number, to: number, antialias: boolean): number[][] {
  const scale = from / to;
  const reach = antialias ? Math.max(scale, 1) : 1;
  return Array.from({ length: to }, (_, i) => {
    const centre = (i + 0.5) * scale - 0.5;
    const weights = Array.from({ length: from }, (_, j) => Math.max(0, 1 - Math.abs(centre - j) / reach));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    return weights.map((weight) => weight / total);
  });
}

/**
 * Linear, antialiased where it shrinks. Traced.
 * @param x float [batch, height, width, features]
 * @returns float [batch, ...size, features]
 */
export function resizeGrid(x: tf.Tensor, [height, width]: readonly [number, number]): tf.Tensor {
  const [, h, w] = x.shape as [number, number, number, number];
  const constant = (from: number, to: number) =>
    tf.tensor(linearWeights(from, to, true).flat(), [to, from], 'float32');
  const rows = h === height ? x : tf.einsum('ph,bhwc->bpwc', constant(h, height), x);
  return w === width ? rows : tf.einsum('qw,bpwc->bpqc', constant(w, width), rows);
}

/**
 * Other numbers of tokens of the same: mixed by a matrix, or, without one, by resizing the grid that they are.
 * @param x float [batch, tokens, width]
 * @param mixing float [tokens, tokens']
 * @returns float [batch, tokens', width]
 */
export function regroupTokens(
  x: tf.Tensor,
  {
    mixing,
    from,
    to,
  }: {
    readonly mixing?: tf.Tensor;
    readonly from: readonly [number, number];
    readonly to: readonly [number, number];
  },
): tf.Tensor {
  if (mixing) return tf.einsum('btc,tn->bnc', x, mixing);
  const width = x.shape[2] as number;
  return tf.reshape(resizeGrid(tf.reshape(x, [-1, ...from, width]), to), [-1, to[0] * to[1], width]);
}
