// ResNet v2 (He et al., arXiv:1603.05027) as in Big Transfer (Kolesnikov et al., arXiv:1912.11370): norms before
// convolutions, which have the paper's own form of group norm and of weight standardisation.

import type { Model } from '../../core/extensions';
import { lecunNormal, ones, zeros } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { type ConvOptions, conv2d, imageOf, inGroups } from '../layers';
import { loadBitPaper } from './checkpoint';
import { type BitPaperOptions, channelsOf } from './options';
import { classify, lastOf, stages, type Unit } from './stages';

const groups = 32;

/** Mean 0 and variance 1 over some axes. */
function standardize(x: tf.Tensor, axes: number[], eps: number): tf.Tensor {
  const centred = tf.sub(x, tf.mean(x, axes, true));
  return tf.div(centred, tf.sqrt(tf.add(tf.mean(tf.square(centred), axes, true), eps)));
}

/** Parameters: `scale` and `bias` [1, 1, 1, channels]. */
function norm(scope: Scope, x: tf.Tensor): tf.Tensor {
  const shape = [1, 1, 1, x.shape[3] as number];
  const normed = tf.reshape(standardize(inGroups(scope, x, groups), [1, 3], 1e-5), x.shape);
  return tf.add(tf.mul(normed, scope.param('scale', shape, ones)), scope.param('bias', shape, zeros));
}

const conv = (scope: Scope, x: tf.Tensor, options: ConvOptions) =>
  conv2d(scope, x, {
    ...options,
    useBias: false,
    kernelTransform: (kernel) => standardize(kernel, [0, 1, 2], 1e-10),
  });

const evenly = (pixels: number) =>
  [
    [pixels, pixels],
    [pixels, pixels],
  ] as const;

/** residual + 1x1 of 3x3 of 1x1, each after a norm and relu. */
const unit: Unit = (scope, x, middle, stride) => {
  const outer = 4 * middle;
  const strides = [stride, stride] as const;
  const active = (i: number, y: tf.Tensor) => tf.relu(norm(scope.child(`gn${i}`), y));

  let y = active(1, x);
  const residual =
    x.shape[3] !== outer || stride !== 1
      ? conv(scope.child('conv_proj'), y, { features: outer, kernel: [1, 1], strides })
      : x;
  y = conv(scope.child('conv1'), y, { features: middle, kernel: [1, 1] });
  y = conv(scope.child('conv2'), active(2, y), {
    features: middle,
    kernel: [3, 3],
    strides,
    padding: evenly(1),
  });
  y = conv(scope.child('conv3'), active(3, y), { features: outer, kernel: [1, 1] });
  return tf.add(y, residual);
};

/**
 * Image to logits, or to the mean over the image without a head. `image`: [batch, height, width, channels].
 * out: stem, stage1/unit01, ..., norm_pre_head, pre_logits_2d, pre_logits, logits_2d, logits
 */
export function bitPaper(options: BitPaperOptions): Model {
  return {
    apply(scope, batch) {
      const root = conv(scope.child('root_block').child('conv_root'), imageOf(scope, batch), {
        features: channelsOf(options),
        kernel: [7, 7],
        strides: [2, 2],
        padding: evenly(3),
      });
      const stem = tf.maxPool(root as tf.Tensor4D, [3, 3], [2, 2], 1);
      const nameOf = (i: number) => `unit${String(i).padStart(2, '0')}`;
      const made = stages(scope, stem, options, { unit, nameOf });
      const named = Object.fromEntries(made.map((stage, i) => [`stage${i + 1}`, stage]));
      const normed = norm(scope.child('norm-pre-head'), lastOf(made.at(-1) as Record<string, tf.Tensor>));
      const kernelInit = options.head_zeroinit ? zeros : lecunNormal();
      const { output, out } = classify(scope, tf.relu(normed), options, kernelInit);
      return { output, out: { stem, ...named, norm_pre_head: normed, ...out } };
    },
    load: (init, file: string, { dont_load }) => loadBitPaper(init, file, options, dont_load),
  };
}
