// Metrics of depth as they are usual for NYU depth v2.

import { z } from 'zod';
import { type HostArray } from '../../../core/array';
import { catalogue } from '../../../core/errors';
import type { Evaluator, EvaluatorContext } from '../../../core/extensions';
import type * as tf from '../../../core/tensor';
import { forEachExample, onlyOutput, passOptions, type PassServices } from '../../../plugins/evaluators';
import { nearestPixels } from './nearest';

export const depthSchema = z.strictObject({
  ...passOptions,
  min_depth: z.number().default(1e-3).describe('metres; nearer pixels of the ground truth do not count'),
  max_depth: z.number().default(10).describe('metres; farther pixels of the ground truth do not count'),
});
export type DepthOptions = z.output<typeof depthSchema>;

const errors = catalogue('depth', {
  noTruth: (v: { name: string; known: readonly string[] }) => ({
    what: `evals.${v.name} finds no "ground_truth" in its examples, which have ${v.known.join(', ')}.`,
    fix: 'keep the depth in pp_fn, before it is resized: copy("labels", "ground_truth").',
  }),
});

/** Of one image: root of the mean squared error in metres, mean relative error, mean error of log10, shares of ratios. */
export interface DepthMetrics {
  readonly RMSE: number;
  readonly abs_RE: number;
  readonly log10: number;
  /** Shares of pixels that are off by a factor below 1.25, and below its square and cube. */
  readonly delta1: number;
  readonly delta2: number;
  readonly delta3: number;
}
const names = ['RMSE', 'abs_RE', 'log10', 'delta1', 'delta2', 'delta3'] as const;

/**
 * @param truth metres, float32 [height, width] or [height, width, 1]
 * @param predicted metres, float32 [h, w], resized to that
 * @returns NaN where no pixel of the truth counts
 */
export function depthMetrics(
  truth: HostArray,
  predicted: HostArray,
  { min_depth, max_depth }: Pick<DepthOptions, 'min_depth' | 'max_depth'>,
): DepthMetrics {
  const [height, width] = truth.shape as [number, number];
  const [h, w] = predicted.shape as [number, number];
  const [down, across] = [nearestPixels(h, height), nearestPixels(w, width)];
  const { abs, fround, log10, max } = Math;
  const [nearest, farthest] = [fround(min_depth), fround(max_depth)];
  let count = 0;
  const sums = { square: 0, relative: 0, log: 0 };
  const within = [0, 0, 0];
  for (let i = 0; i < truth.data.length; i++) {
    const real = truth.data[i] as number;
    if (!(real > nearest && real < farthest)) continue;
    const at = (down[Math.floor(i / width)] as number) * w + (across[i % width] as number);
    const guess = predicted.data[at] as number;
    count++;
    sums.square += (real - guess) ** 2;
    sums.relative += abs(real - guess) / real;
    sums.log += abs(log10(real) - log10(guess));
    const ratio = max(fround(real / guess), fround(guess / real));
    within.forEach((_, k) => ratio < 1.25 ** (k + 1) && within[k]!++);
  }
  const [delta1, delta2, delta3] = within.map((sum) => sum / count) as [number, number, number];
  const RMSE = Math.sqrt(sums.square / count);
  return { RMSE, abs_RE: sums.relative / count, log10: sums.log / count, delta1, delta2, delta3 };
}

/** Means over images of their metrics. The predict function gives metres, [batch, h, w]; the batch has `ground_truth`. */
export async function depth(
  options: DepthOptions,
  context: EvaluatorContext,
  services: PassServices,
): Promise<Evaluator> {
  const { name } = context;
  const pass = await forEachExample(options, context, services, (params, { ground_truth, ...batch }) => {
    if (!ground_truth) throw errors.noTruth({ name, known: Object.keys(batch) });
    return { truth: ground_truth as tf.Tensor, guess: onlyOutput(name, context.predict(params, batch)) };
  });
  return {
    async *run(params) {
      const images: DepthMetrics[] = [];
      await pass(params, ({ truth, guess }) => void images.push(depthMetrics(truth, guess, options)));
      for (const metric of names)
        yield [metric, images.reduce((sum, image) => sum + image[metric], 0) / images.length];
    },
  };
}
