// What both ResNets have in common: stages of units, and the head.

import type { Initializer } from '../../core/extensions';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { dense } from '../layers';
import { type BitOptions, channelsOf, unitsOf } from './options';

/** A unit of the original: `middle` channels inside, four times as many outside. */
export type Unit = (scope: Scope, x: tf.Tensor, middle: number, stride: number) => tf.Tensor;

/** Every unit of a stage by the name that `nameOf` gives it (from 1); the first of all stages but the first has stride 2. */
export function stages(
  scope: Scope,
  stem: tf.Tensor,
  options: BitOptions,
  { unit, nameOf }: { readonly unit: Unit; readonly nameOf: (i: number) => string },
): Record<string, tf.Tensor>[] {
  let x = stem;
  return unitsOf(options).map((count, stage) => {
    const block = scope.child(`block${stage + 1}`);
    const middle = channelsOf(options) * 2 ** stage;
    return Object.fromEntries(
      Array.from({ length: count }, (_, i) => {
        x = unit(block.child(nameOf(i + 1)), x, middle, i === 0 && stage > 0 ? 2 : 1);
        return [nameOf(i + 1), x];
      }),
    );
  });
}

/** The last unit's result of a stage. */
export const lastOf = (stage: Readonly<Record<string, tf.Tensor>>): tf.Tensor =>
  Object.values(stage).at(-1) as tf.Tensor;

/** The mean over the image, and logits of it and of each place. out: pre_logits_2d, pre_logits, logits_2d, logits */
export function classify(
  scope: Scope,
  x: tf.Tensor,
  { num_classes }: BitOptions,
  kernelInit: Initializer,
): { readonly output: tf.Tensor; readonly out: Readonly<Record<string, tf.Tensor>> } {
  const pooled = tf.mean(x, [1, 2]);
  const out = { pre_logits_2d: x, pre_logits: pooled };
  if (!num_classes) return { output: pooled, out };
  const head = (y: tf.Tensor) => dense(scope.child('head'), y, num_classes, { kernelInit });
  const logits = head(pooled);
  return { output: logits, out: { ...out, logits_2d: head(x), logits } };
}
