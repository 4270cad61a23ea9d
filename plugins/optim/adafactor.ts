import { z } from 'zod';
import type { GradientTransform } from '../../core/extensions';
import * as tf from '../../core/tensor';
import { isDict, type NestedRecord } from '../../core/tree';
import { storage } from './storage';
import { mapToTrees, stateOf } from './trees';

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
interface SecondMoment {
  readonly v?: tf.Tensor;
  readonly v_row?: tf.Tensor;
  readonly v_col?: tf.Tensor;
}

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

  /** `average(part, x)` is the new mean of `part` of the leaf's second moment with x. */
  function precondition(g: tf.Tensor, average: (part: keyof SecondMoment, x: tf.Tensor) => tf.Tensor) {
    const square = tf.add(tf.square(g), eps);
    const axes = axesOf(g);
    if (!axes) {
      const v = average('v', square);
      return { update: tf.mul(g, tf.rsqrt(v)), moment: { v } };
    }
    const { largest, second } = axes;
    const v_row = average('v_row', tf.mean(square, largest));
    const v_col = average('v_col', tf.mean(square, second));
    const rowMean = tf.mean(v_row, second > largest ? second - 1 : second, true);
    const row = tf.expandDims(tf.rsqrt(tf.div(v_row, rowMean)), largest);
    const col = tf.expandDims(tf.rsqrt(v_col), second);
    return { update: tf.mul(tf.mul(g, row), col), moment: { v_row, v_col } };
  }

  function clip(update: tf.Tensor): tf.Tensor {
    if (!clipping_threshold) return update;
    const rms = tf.sqrt(tf.mean(tf.square(update)));
    return tf.div(update, tf.maximum(1, tf.div(rms, clipping_threshold)));
  }

  return {
    init: (params) =>
      withoutEmpty({
        count: tf.scalar(0, 'int32'),
        ...mapToTrees(params, ['v', 'v_row', 'v_col', 'ema'], (_, param) => ({
          ...initialMoment(param),
          ...(momentum ? { ema: tf.castStorage(tf.zerosLike(param), dtype_momentum) } : {}),
        })),
      }),

    update(grads, state) {
      const count = stateOf(state, 'count');
      const t = tf.add(tf.cast(tf.sub(count, tf.scalar(decay_offset, 'int32')), 'float32'), 1);
      const b2 = tf.minimum(beta2_cap, tf.sub(1, tf.pow(t, -decay_rate)));
      const rest = tf.sub(1, b2);

      const { updates, ...moments } = mapToTrees(
        grads,
        ['updates', 'v', 'v_row', 'v_col', 'ema'],
        (name, g) => {
          const { update, moment } = precondition(g, (part, x) =>
            tf.add(tf.mul(b2, stateOf(state, `${part}/${name}`)), tf.mul(rest, x)),
          );
          const clipped = clip(update);
          if (!momentum) return { updates: clipped, ...moment };
          const ema = tf.add(tf.mul(1 - momentum, clipped), tf.mul(momentum, stateOf(state, `ema/${name}`)));
          return { updates: ema, ...moment, ema: tf.castStorage(ema, dtype_momentum) };
        },
      );
      return { updates, state: withoutEmpty({ count: tf.add(count, tf.scalar(1, 'int32')), ...moments }) };
    },
  };
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

/** Without trees that have no leaves: they would get lost on the way through a checkpoint. */
function withoutEmpty(state: NestedRecord<tf.Tensor>): NestedRecord<tf.Tensor> {
  return Object.fromEntries(
    Object.entries(state).filter(([, value]) => !isDict(value) || Object.keys(value).length > 0),
  );
}
