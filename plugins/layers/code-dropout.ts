// Dropout of the words of a code, so that the first of them say the most.

import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';

/** `seq` drops the last words of a code, `random` any; how many is drawn for each example. */
export const codeDropouts = ['none', 'seq', 'random'] as const;
export type CodeDropout = (typeof codeDropouts)[number];

/**
 * In training, with a key of the scope's stream `dropout`: words are zero, more of them for some examples than for others.
 * @param x float [batch, words, width]
 */
export function codeDropout(scope: Scope, x: tf.Tensor, kind: CodeDropout): tf.Tensor {
  if (kind === 'none') return x;
  const [batch, words] = x.shape as [number, number, number];
  const importance = Array.from({ length: words }, (_, i) => 1 - (i + 1) / (words + 1));
  const threshold = tf.random.uniform(scope.rng('dropout'), [batch, 1]);
  const first = tf.cast(tf.greater(tf.tensor([importance]), threshold), 'float32');
  const kept = kind === 'random' ? tf.random.shuffle(scope.rng('dropout'), first) : first;
  return tf.mul(x, tf.expandDims(kept, 2));
}
