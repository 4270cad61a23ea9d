// ResNet v1 (He et al., arXiv:1512.03385) with group norm and weight standardisation (arXiv:1903.10520).

import type { Model } from '../../core/extensions';
import { zeros } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { type ConvOptions, conv2d, groupNorm, imageOf } from '../layers';
import { loadBit } from './checkpoint';
import { type BitOptions, channelsOf } from './options';
import { classify, lastOf, stages, type Unit } from './stages';

/** Each output channel of a kernel with mean 0 and deviation 1. */
function standardize(kernel: tf.Tensor): tf.Tensor {
  const centred = tf.sub(kernel, tf.mean(kernel, [0, 1, 2], true));
  const deviation = tf.sqrt(tf.mean(tf.square(centred), [0, 1, 2], true));
  return tf.div(centred, tf.add(deviation, 1e-5));
}

const conv = (scope: Scope, x: tf.Tensor, options: ConvOptions) =>
  conv2d(scope, x, { ...options, useBias: false, kernelTransform: standardize });

/** relu(residual + 1x1 of 3x3 of 1x1), norms after each convolution; the last norm starts at zero. */
const unit: Unit = (scope, x, middle, stride) => {
  const outer = 4 * middle;
  const strides = [stride, stride] as const;
  const layer = (i: number, y: tf.Tensor, options: ConvOptions, scaleInit?: typeof zeros) =>
    groupNorm(scope.child(`gn${i}`), conv(scope.child(`conv${i}`), y, options), { scaleInit });

  let residual = x;
  if (x.shape[3] !== outer || stride !== 1) {
    const projected = conv(scope.child('conv_proj'), x, { features: outer, kernel: [1, 1], strides });
    residual = groupNorm(scope.child('gn_proj'), projected);
  }
  let y = tf.relu(layer(1, x, { features: middle, kernel: [1, 1] }));
  y = tf.relu(layer(2, y, { features: middle, kernel: [3, 3], strides }));
  y = layer(3, y, { features: outer, kernel: [1, 1] }, zeros);
  return tf.relu(tf.add(residual, y));
};

/**
 * Image to logits, or to the mean over the image without a head. `image`: [batch, height, width, channels].
 * out: stem, stage1, stage2, ..., pre_logits_2d, pre_logits, logits_2d, logits
 */
export function bit(options: BitOptions): Model {
  return {
    apply(scope, batch) {
      const root = conv(scope.child('conv_root'), imageOf(scope, batch), {
        features: channelsOf(options),
        kernel: [7, 7],
        strides: [2, 2],
      });
      const active = tf.relu(groupNorm(scope.child('gn_root'), root));
      const stem = tf.maxPool(active as tf.Tensor4D, [3, 3], [2, 2], 'same');
      const made = stages(scope, stem, options, { unit, nameOf: (i) => `unit${i}` }).map(lastOf);
      const named = Object.fromEntries(made.map((x, i) => [`stage${i + 1}`, x]));
      const { output, out } = classify(scope, made.at(-1) as tf.Tensor, options, zeros);
      return { output, out: { stem, ...named, ...out } };
    },
    load: (init, file: string, { dont_load }) => loadBit(init, file, dont_load),
  };
}
