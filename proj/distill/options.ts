// Options of distances, in training and in evaluation.

import { z } from '../../core';
import { distanceKinds } from '../../plugins/losses';

/** What has a gradient. */
export const trainable = distanceKinds.filter((kind) => kind !== 'agree');

export const distanceOptions = z.strictObject({
  kind: z.enum(distanceKinds).describe('how far a student is from a teacher'),
  t: z.number().positive().optional().describe('temperature of kl; 1 if absent'),
  ls: z.number().min(0).max(1).optional().describe('label smoothing of hard; 0 if absent'),
  k: z
    .int()
    .min(1)
    .optional()
    .describe("how many of the student's best classes agree looks through; 1 if absent"),
  epsilon: z.number().optional().describe('added under the root of Euclidean distances; 1e-12 if absent'),
});
