// Options that models have in common.

import { z } from 'zod';

/** Of a classifier's head. `otherwise`: what the model gives without one, for the documentation. */
export const numClasses = (otherwise: string) =>
  z
    .number()
    .int()
    .min(0)
    .nullable()
    .default(null)
    .describe(`width of the head; null or 0: no head, and the output is ${otherwise}`);
