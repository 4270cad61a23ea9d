import { z } from 'zod';
import type { GradientTransform, Params } from '../../../core/extensions';
import * as tf from '../../../core/tensor';
import { average } from '../moments';
import { storage } from '../storage';
import { mapToTrees, stateOf } from '../trees';

export const adafactorOptions = z.strictObject({
  min_dim_size_to_factor: z
    .number()
    .int()
    .default(32)
    .describe('factor only if two dimensions are at least this large'),
  decay_rate: z
    .number()
    .default(0.8)
    .describe('exponent of the decay of the second moment: b2 = 1 - t^-decay_rate'),
  decay_offset: z.number().int().default(0).describe('steps that t leaves out, for fine-tuning'),
  beta2_cap: z.number().default(0.999).describe('upper bound of that decay'),
  clipping_threshold: z
    .number()
    .min(0)
    .nullish()
    .describe('largest root mean square of the update of a leaf; 0 or null for none'),
  momentum: z.number().nullable().default(0.9).describe('decay of the mean of updates; 0 or null for none'),
  dtype_momentum: storage.default('bfloat16').describe('how that mean is stored'),
  eps: z.number().default(1e-30).describe('added to squared gradients'),
});

/** The second moment of a leaf: whole, or as means over its rows and columns. */
type SecondMoment = Readonly<Record<'v', tf.Tensor> | Record<'v_row' | 'v_col', tf.Tensor>>;

/**
 * Adafactor (arXiv:1804.04235) as changed in Scaling Vision Transformers (arXiv:2106.04560): the second moment of a
 * matrix is kept as its row and column means, its decay is capped, and momentum averages what is preconditioned. No
 * bias correction, no scaling by the size of parameters. State: count, v_row/NAME and v_col/NAME or v/NAME, ema/NAME.
 */
export function scaleByAdafactor(options: z.output<typeof adafactorOptions>): GradientTransform {
  const { min_dim_size_to_factor, decay_rate, decay_offset, beta2_cap, eps } = options;
  const { clipping_threshold, momentum, dtype_momentum } = options;
  const axesOf = (x: tf.Tensor) => factoredAxes(x.shape, min_dim_size_to_factor);

  function initialMoment(param: tf.Tensor): SecondMoment {
    const axes = axesOf(param);
    if (!axes) return { v: tf.zerosLike(param) };
    const zerosWithout = (axis: number) => tf.zeros(param.shape.filter((_, i) => i !== axis));
    return { v_row: zerosWithout(axes.largest), v_col: zerosWithout(axes.second) };
  }

  /** `averaged(part, x)` is the new mean of `part` of the leaf's second moment with x. */
  function precondition(
    g: tf.Tensor,
    averaged: (part: 'v' | 'v_row' | 'v_col', x: tf.Tensor) => tf.Tensor,
  ): { update: tf.Tensor; moment: SecondMoment } {
    const square = tf.add(tf.square(g), eps);
    const axes = axesOf(g);
    if (!axes) {
      const v = averaged('v', square);
      return { update: tf.mul(g, tf.rsqrt(v)), moment: { v } };
    }
    const { largest, second } = axes;
    const v_row = averaged('v_row', tf.mean(square, largest));
    const v_col = averaged('v_col', tf.mean(square, second));
    const rowMean = tf.mean(v_row, second > largest ? second - 1 : second, true);
    const row = tf.expandDims(tf.rsqrt(tf.div(v_row, rowMean)), largest);
    const col = tf.expandDims(tf.rsqrt(v_col), second);
    return { update: tf.mul(tf.mul(g, row), col), moment: { v_row, v_col } };
  }

  return {
    init: (params) => ({
      count: tf.scalar(0, 'int32'),
      ...mapToTrees(params, (_, param) => ({
        ...initialMoment(param),
        ...(momentum ? { ema: tf.castStorage(tf.zerosLike(param), dtype_momentum) } : {}),
      })),
    }),

    update(grads, state) {
      const count = stateOf(state, 'count');
      const t = tf.add(tf.cast(tf.sub(count, tf.scalar(decay_offset, 'int32')), 'float32'), 1);
      const b2 = tf.minimum(beta2_cap, tf.sub(1, tf.pow(t, -decay_rate)));
      const rest = tf.sub(1, b2);

      const { updates, ...moments } = mapToTrees(grads, (name, g) => {
        const { update, moment } = precondition(g, (part, x) =>
          tf.add(tf.mul(b2, stateOf(state, `${part}/${name}`)), tf.mul(rest, x)),
        );
        const clipped = clipping_threshold ? clipByRms(update, clipping_threshold) : update;
        if (!momentum) return { updates: clipped, ...moment };
        const mean = average(momentum, clipped, stateOf(state, `ema/${name}`));
        return { updates: mean, ...moment, ema: tf.castStorage(mean, dtype_momentum) };
      });
      return {
        updates: updates as Params,
        state: { count: tf.add(count, tf.scalar(1, 'int32')), ...moments },
      };
    },
  };
}

/** An update with a root mean square of at most `threshold`. */
export function clipByRms(update: tf.Tensor, threshold: number): tf.Tensor {
  const rms = tf.sqrt(tf.mean(tf.square(update)));
  return tf.div(update, tf.maximum(1, tf.div(rms, threshold)));
}

/** The two largest axes, later ones first among equals; undefined if the smaller of the two is too small. */
function factoredAxes(
  shape: readonly number[],
  least: number,
): { largest: number; second: number } | undefined {
  const bySize = shape
    .map((size, axis) => ({ size, axis }))
    .sort((a, b) => b.size - a.size || b.axis - a.axis);
  const [largest, second] = bySize;
  if (!largest || !second || second.size < least) return undefined;
  return { largest: largest.axis, second: second.axis };
}

export const factoredRmsOptions = z.strictObject({
  factored: z.boolean().default(true).describe('false keeps every second moment whole'),
  decay_rate: adafactorOptions.shape.decay_rate,
  step_offset: adafactorOptions.shape.decay_offset,
  min_dim_size_to_factor: adafactorOptions.shape.min_dim_size_to_factor.default(128),
  epsilon: adafactorOptions.shape.eps,
});

/** Adafactor's scaling as optax has it: the decay has no cap. State: that of Adafactor without ema. */
export function scaleByFactoredRms(options: z.output<typeof factoredRmsOptions>): GradientTransform {
  return scaleByAdafactor({
    min_dim_size_to_factor: options.factored ? options.min_dim_size_to_factor : Infinity,
    decay_rate: options.decay_rate,
    decay_offset: options.step_offset,
    beta2_cap: 1,
    momentum: null,
    dtype_momentum: 'float32',
    eps: options.epsilon,
  });
}
