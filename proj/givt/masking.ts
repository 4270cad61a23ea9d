// Which tokens a masked model doesn't see.

import { z } from 'zod';
import * as tf from '../../core/tensor';

export type MaskSchedule = 'cosine' | `pow:${number}`;

export const maskScheduleSchema = z.custom<MaskSchedule>(
  (text) => typeof text === 'string' && /^(cosine|pow:\d+(\.\d+)?)$/.test(text),
  'expected "cosine" or "pow:EXPONENT"',
);

/** The part of tokens that is hidden when a part `ratio` (0 to 1) of the way is done: in [1e-6, 1]. */
export function maskedPart(ratio: tf.Tensor, schedule: MaskSchedule): tf.Tensor {
  const part =
    schedule === 'cosine'
      ? tf.cos(tf.mul(ratio, Math.PI / 2))
      : tf.sub(1, tf.pow(ratio, Number(schedule.slice('pow:'.length))));
  return tf.clipByValue(part, 1e-6, 1);
}

export interface TrainingMask {
  readonly batch: number;
  readonly length: number;
  /** As if at least this part of the way were left. */
  readonly min_masking_rate_training: number;
  readonly mask_schedule_train: MaskSchedule;
}

/** Random places of random number: bool [batch, length], true where a token is hidden. */
export function trainingMask(
  key: tf.Tensor,
  { batch, length, min_masking_rate_training, mask_schedule_train }: TrainingMask,
): tf.Tensor {
  const done = tf.random.uniform(key, [batch], 0, 1 - min_masking_rate_training);
  const hidden = tf.mul(maskedPart(done, mask_schedule_train), length);
  const first = tf.less(tf.range(0, length, 1, 'float32'), tf.expandDims(hidden, 1));
  return tf.greater(tf.random.shuffle(key, tf.cast(first, 'float32')), 0.5);
}
