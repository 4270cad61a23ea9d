import { z } from 'zod';
import type { GradientTransform } from '../../../core/extensions';
import * as tf from '../../../core/tensor';
import { leafwise } from '../leafwise';
import { average } from '../moments';
import { storage, storedAs } from '../storage';

export const lionOptions = z.strictObject({
  b1: z.number().min(0).max(1).default(0.9).describe('weight of the momentum in the direction'),
  b2: z.number().min(0).max(1).default(0.99).describe('decay of the momentum'),
  mu_dtype: storage.nullish().describe('how the momentum is stored'),
});

/** Lion (arXiv:2302.06675): sign((1-b1) g + b1 m), then m = b2 m + (1-b2) g. State: mu/NAME. */
export function scaleByLion({ b1, b2, mu_dtype }: z.output<typeof lionOptions>): GradientTransform {
  const stored = storedAs(mu_dtype);
  return leafwise({
    init: (param) => ({ mu: stored(tf.zerosLike(param)) }),
    update: (g, { mu }) => ({
      updates: tf.sign(average(b1, g, mu)),
      mu: stored(average(b2, g, mu)),
    }),
  });
}
