// The flow: couplings one after the other, each of which scales and shifts one half of its input by what a ViT makes of
// the other half (README.md).

import { z } from 'zod';
import { loadAsIs } from '../../core/checkpoint/load-params';
import type { Batch, Model } from '../../core/extensions';
import { normal, zeros } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { dense, flattenPatches, imageOf, multiHeadAttention, unflattenPatches } from '../../plugins/layers';
import { encoder } from '../../plugins/vit';
import { channelKinds, channelMasks, gridOf, spatialKinds, spatialMasks } from './masks';

const count = z.int().min(1);

export const jetOptions = z.strictObject({
  depth: count.default(2).describe('number of couplings'),
  block_depth: z.int().min(0).default(1).describe('blocks of the ViT in a coupling'),
  emb_dim: count.default(256).describe('width of the ViTs'),
  num_heads: count.default(4).describe('attention heads of the ViTs'),
  scale_factor: z.number().positive().default(2).describe('upper end of the scale in a coupling'),
  ps: count.default(4).describe('side of a patch in pixels'),
  channels_coupling_projs: z
    .array(z.enum(channelKinds))
    .min(1)
    .default(['random'])
    .describe('how couplings split channels, in turn'),
  spatial_coupling_projs: z
    .array(z.enum(spatialKinds))
    .min(1)
    .default(['checkerboard', 'checkerboard-inv'])
    .describe('how couplings split patches, in turn'),
  kinds: z
    .array(z.enum(['channels', 'spatial']))
    .min(1)
    .default(['channels', 'channels', 'spatial'])
    .describe('what couplings split, in turn'),
});
export type JetOptions = z.output<typeof jetOptions>;

export interface Flow {
  /** Of the shape of the input. */
  readonly x: tf.Tensor;
  /** Logarithm of the absolute determinant of the map's derivative: float [batch]. */
  readonly logdet: tf.Tensor;
}

export interface Jet extends Model {
  /**
   * Images to numbers of a standard normal distribution.
   * @param image float [batch, height, width, channels]
   * @param context float [batch, length, features]: what the flow is conditional on
   */
  forward(scope: Scope, image: tf.Tensor, context?: tf.Tensor): Flow;
  /** The way back: its logdet is minus that of `forward`. */
  inverse(scope: Scope, z: tf.Tensor, context?: tf.Tensor): Flow;
}

/** One layer's slice of what couplings differ in. */
type Split = {
  /** int32: 1 where channels are split, 0 where patches are. */
  readonly ofChannels: tf.Tensor;
  readonly channels: tf.Tensor;
  readonly patches: tf.Tensor;
};

/** The model of these options. A batch has `image` and, for a conditional flow, `label`: float [batch, features]. */
export function jet(options: JetOptions): Jet {
  const { depth, ps } = options;
  const plan = couplingPlan(options);

  const flow = (scope: Scope, image: tf.Tensor, context: tf.Tensor | undefined, reverse: boolean): Flow => {
    const [, height, width, channels] = image.shape as [number, number, number, number];
    const grid = gridOf([height, width], ps);
    const patches = grid.rows * grid.columns;
    const dims = channels * ps * ps;
    const xs: Split = {
      ofChannels: tf.tensor(plan.ofChannels, [depth], 'int32'),
      channels: scope.param(
        'channel_coupling_masks-FREEZE_ME',
        [depth, dims, dims],
        channelMasks(plan.channels),
      ),
      patches: scope.param(
        'spatial_coupling_masks-FREEZE_ME',
        [depth, patches, patches],
        spatialMasks(plan.patches, grid),
      ),
    };
    const layer = (scope: Scope, x: tf.Tensor, split: Split) =>
      coupling(scope, x, { split, context, options, reverse });
    const [x, logdets] = scope.scan<tf.Tensor, tf.Tensor, Split>(
      'couplings',
      depth,
      layer,
      flattenPatches(image, [ps, ps]),
      { xs, reverse, remat: 'nothing_saveable' },
    );
    return { x: unflattenPatches(x, [grid.rows, grid.columns], [ps, ps]), logdet: tf.sum(logdets, 0) };
  };

  return {
    forward: (scope, image, context) => flow(scope, image, context, false),
    inverse: (scope, z, context) => flow(scope, z, context, true),
    load: loadAsIs,
    apply(scope, batch) {
      const { x: z, logdet } = flow(scope, imageOf(scope, batch), contextOf(batch), false);
      return { output: { z, logdet }, out: {} };
    },
  };
}

/** A label is what the flow is conditional on: a context of one token. */
export const contextOf = ({ label }: Batch): tf.Tensor | undefined => label && tf.expandDims(label, 1);

function couplingPlan({ depth, kinds, channels_coupling_projs, spatial_coupling_projs }: JetOptions) {
  const inTurn = <T>(items: readonly T[]) => {
    let next = 0;
    return () => items[next++ % items.length] as T;
  };
  const [kind, channels, patches] = [
    inTurn(kinds),
    inTurn(channels_coupling_projs),
    inTurn(spatial_coupling_projs),
  ];
  const layers = Array.from({ length: depth }, () =>
    kind() === 'channels'
      ? ({ ofChannels: 1, channels: channels(), patches: 'zero' } as const)
      : ({ ofChannels: 0, channels: 'zero', patches: patches() } as const),
  );
  return {
    ofChannels: layers.map((layer) => layer.ofChannels),
    channels: layers.map((layer) => layer.channels),
    patches: layers.map((layer) => layer.patches),
  };
}

interface CouplingOptions {
  readonly split: Split;
  readonly context?: tf.Tensor;
  readonly options: JetOptions;
  readonly reverse: boolean;
}

/** One affine coupling of x: float [batch, patches, dims]. */
function coupling(
  scope: Scope,
  x: tf.Tensor,
  { split, context, options, reverse }: CouplingOptions,
): [x: tf.Tensor, logdet: tf.Tensor] {
  const [batch, patches, dims] = x.shape as [number, number, number];
  const ofChannels = tf.equal(split.ofChannels, tf.scalar(1, 'int32'));
  // Halves have one shape whatever is split, so that the layers are alike: half as many patches are cut in two each.
  const whole = [batch, patches / 2, dims];
  const half = [batch, patches, dims / 2];
  const [given, changed] = tf.cond<tf.Tensor[]>(
    ofChannels,
    () => tf.split(tf.einsum('ntk,km->ntm', x, split.channels), 2, 2),
    () => tf.split(tf.einsum('ntk,tm->nmk', x, split.patches), 2, 1).map((y) => tf.reshape(y, half)),
  ) as [tf.Tensor, tf.Tensor];

  const { bias, rawScale } = biasAndScale(scope.child('dnn'), given, context, options);
  const scale = tf.mul(tf.sigmoid(rawScale), options.scale_factor);
  const logdet = tf.sum(tf.add(tf.logSigmoid(rawScale), Math.log(options.scale_factor)), [1, 2]);
  const result = reverse ? tf.sub(tf.div(changed, scale), bias) : tf.mul(tf.add(changed, bias), scale);

  const joined = tf.cond<tf.Tensor>(
    ofChannels,
    () => tf.einsum('ntm,km->ntk', tf.concat([given, result], 2), split.channels),
    () => {
      const both = tf.concat([tf.reshape(given, whole), tf.reshape(result, whole)], 1);
      return tf.einsum('nmk,tm->ntk', both, split.patches);
    },
  );
  return [joined, reverse ? tf.neg(logdet) : logdet];
}

/** What a ViT says about the other half: both of the shape of x. It starts as bias 0 and the middle of scales. */
function biasAndScale(
  scope: Scope,
  x: tf.Tensor,
  context: tf.Tensor | undefined,
  { block_depth, emb_dim, num_heads }: JetOptions,
): { readonly bias: tf.Tensor; readonly rawScale: tf.Tensor } {
  const [, length, dims] = x.shape as [number, number, number];
  let tokens = dense(scope.child('init_proj'), x, emb_dim);
  tokens = tf.add(tokens, scope.param('posemb', [1, length, emb_dim], normal(1 / Math.sqrt(emb_dim))));
  if (context) {
    const attention = scope.child('MultiHeadDotProductAttention_0');
    const inputs = { q: tokens, kv: context };
    tokens = tf.add(
      tokens,
      multiHeadAttention(attention, inputs, { heads: num_heads, outKernelInit: zeros }),
    );
  }
  const { x: encoded } = encoder(scope.child('vit'), tokens, { depth: block_depth, num_heads });
  const [bias, rawScale] = tf.split(
    dense(scope.child('final_proj'), encoded, 2 * dims, { kernelInit: zeros }),
    2,
    2,
  ) as [tf.Tensor, tf.Tensor];
  return { bias, rawScale };
}
