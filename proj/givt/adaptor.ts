// An invertible map of codes (i-RevNet, arXiv:1802.07088), so that the transformer may model a code that suits it.

import { z } from 'zod';
import { loadAsIs } from '../../core/checkpoint/load-params';
import type { Model } from '../../core/extensions';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { conv2d, dropout, groupNorm } from '../../plugins/layers';
import { gridOfPatches } from './grid';

const count = z.int().min(1);

export const adaptorOptions = z.strictObject({
  num_blocks: z.int().min(0).default(4),
  num_channels: count.default(4).describe('numbers in a word of the code; an even number'),
  num_channels_bottleneck: count
    .nullable()
    .default(null)
    .describe('channels inside blocks, for both halves together; null: num_channels'),
  dropout_rate: z.number().min(0).max(1).default(0),
  pixel_shuffle_patch_size: z
    .tuple([count, count])
    .default([1, 1])
    .describe('of the VAE: tells what grid the words are'),
});
export type AdaptorOptions = z.output<typeof adaptorOptions>;

export interface Adaptor extends Model {
  /** @param x float [batch, words, num_channels] */
  forward(scope: Scope, x: tf.Tensor, train?: boolean): tf.Tensor;
  inverse(scope: Scope, y: tf.Tensor, train?: boolean): tf.Tensor;
}

type Halves = readonly [tf.Tensor, tf.Tensor];

/** The model of these options. A batch has `x`, the code. */
export function adaptor(options: AdaptorOptions): Adaptor {
  const { num_blocks, num_channels, num_channels_bottleneck, dropout_rate } = options;
  const features = Math.floor(num_channels / 2);
  const inside = Math.floor((num_channels_bottleneck ?? num_channels) / 2);
  const norm = { groups: Math.min(32, features) };
  const kernel = [3, 3] as const;

  /** What a block adds to the other half. */
  const change = (scope: Scope, x: tf.Tensor, first: boolean, train: boolean): tf.Tensor => {
    const normed = (name: string, x: tf.Tensor) => tf.relu(groupNorm(scope.child(name), x, norm));
    const conv = (i: number, x: tf.Tensor, features: number) =>
      conv2d(scope.child(`Conv_${i}`), x, { features, kernel, useBias: false });
    const y = normed('gn_1', conv(0, first ? x : normed('gn_0', x), inside));
    const kept = dropout(scope.child('Dropout_0'), conv(1, y, inside), { rate: dropout_rate, train });
    return conv(2, normed('gn_2', kept), features);
  };

  const through = (x: tf.Tensor, map: (halves: Halves) => Halves): tf.Tensor => {
    const grid = gridOfPatches(x.shape[1] as number, options.pixel_shuffle_patch_size);
    const space = tf.reshape(x, [-1, ...grid, num_channels]);
    const result = map(tf.split(space, [features, num_channels - features], 3) as unknown as Halves);
    return tf.reshape(tf.concat([...result], 3), x.shape);
  };
  const blocks = Array.from({ length: num_blocks }, (_, i) => i);

  const forward = (scope: Scope, x: tf.Tensor, train = false) =>
    through(x, (halves) =>
      blocks.reduce<Halves>(
        ([a, b], i) => [b, tf.add(change(scope.child(`modules_${i}`), b, i === 0, train), a)],
        halves,
      ),
    );
  const inverse = (scope: Scope, y: tf.Tensor, train = false) =>
    through(y, (halves) =>
      blocks.reduceRight<Halves>(
        ([b, sum], i) => [tf.sub(sum, change(scope.child(`modules_${i}`), b, i === 0, train)), b],
        halves,
      ),
    );

  return {
    forward,
    inverse,
    load: loadAsIs,
    apply(scope, { x }, { train }) {
      if (!x)
        throw scope.shapeError('the batch has no "x"', 'give it a code as float [batch, words, channels].');
      return { output: forward(scope, x, train), out: {} };
    },
  };
}
