// Drawing tokens one by one, with a beam if asked for.

import { z } from 'zod';
import { catalogue } from '../../core/errors';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { mapTree } from '../../core/tree';
import { takeAt, takeEach } from '../../plugins/layers';
import { density, guided } from '../../plugins/mixture';
import { type Conditions, type Givt, type GivtCache } from './givt';

const count = z.int().min(1).default(1);

export const arGenerationSchema = z.strictObject({
  temp: z.number().positive().optional().describe('standard deviations are multiplied by it'),
  temp_probs: z.number().positive().optional().describe('logits of the components are multiplied by it'),
  cfg_inference_weight: z.number().min(0).default(0).describe('of guidance by the label; 0: none'),
  beam_size: count.describe('sequences that are followed at once'),
  fan_size: count.describe('tokens that are drawn for each of them'),
  rand_top_k: z.boolean().default(false).describe('draw the beam by probability, rather than take the best'),
  rand_top_k_temp: z.number().positive().default(1).describe('temperature of that'),
});
export type ArGeneration = z.output<typeof arGenerationSchema>;

const errors = catalogue('givt', {
  beamAndGuidance: () => ({
    what: "Guidance doesn't go with beams.",
    fix: 'set cfg_inference_weight to 0, or beam_size and fan_size to 1.',
  }),
});

type Loop = {
  readonly key: tf.Tensor;
  readonly index: tf.Tensor;
  /** float [batch * beams, seq_len, out_dim] */
  readonly sequences: tf.Tensor;
  /** Of the tokens of a beam so far, for each channel; only beams need them. */
  readonly logprobs: tf.Tensor;
  readonly cache: GivtCache;
  readonly freeCache?: GivtCache;
};

/**
 * Sequences drawn token by token, the best of each beam. Traced; no gradient.
 * @param key int32 [2]
 * @returns tokens: float [batch, seq_len, out_dim]; logprobs: float [batch], 0 without beams
 */
export function generate(
  model: Givt,
  scope: Scope,
  key: tf.Tensor,
  { batch, ...conditions }: Omit<Conditions, 'dropLabels'> & { readonly batch: number },
  settings: Partial<ArGeneration> = {},
): { readonly tokens: tf.Tensor; readonly logprobs: tf.Tensor } {
  const { beam_size: beams, fan_size: fan, cfg_inference_weight: weight, ...rest } = arGenerationSchema.parse(settings); // prettier-ignore
  const { seq_len, out_dim } = model.options;
  const guide = weight > 0;
  if (guide && beams * fan > 1) throw errors.beamAndGuidance();

  const rows = batch * beams;
  const repeated = (x: tf.Tensor | undefined) => x && repeat(x, beams, 0);
  const given = { batch: rows, labels: repeated(conditions.labels), encoded: repeated(conditions.encoded) };
  const plain = model.stepwise(scope, given);
  const free = guide
    ? model.stepwise(scope, { ...given, dropLabels: tf.fill([rows], 1, 'bool') })
    : undefined;

  const densityOf = (logits: tf.Tensor) =>
    density(logits, model.options, { scales: rest.temp, probs: rest.temp_probs });
  /** @param logits float [b, n, logits] */
  const draw = (key: tf.Tensor, logits: tf.Tensor, freeLogits?: tf.Tensor) => {
    const known = densityOf(logits);
    const from = freeLogits ? guided(known, densityOf(freeLogits), weight, key) : known;
    const tokens = from.sample(key);
    const logprobs = from.logProb(tokens);
    return { tokens, logprobs: logprobs.rank === 2 ? tf.expandDims(logprobs, 2) : logprobs };
  };

  const places = tf.reshape(tf.range(0, seq_len, 1, 'int32'), [1, seq_len, 1]);
  const put = (x: tf.Tensor, index: tf.Tensor, value: tf.Tensor) =>
    tf.where(tf.equal(places, index), tf.reshape(value, [rows, 1, out_dim]), x);
  const at = (x: tf.Tensor, index: tf.Tensor) => tf.squeeze(takeAt(x, index), [1]);

  /** Which of the fans of all beams go on: int32 [batch, beams]. */
  const choose = (key: tf.Tensor, scores: tf.Tensor) => {
    if (!rest.rand_top_k) return { kept: tf.topk(scores, beams).indices, key };
    const [own, next] = tf.random.split(key) as [tf.Tensor, tf.Tensor];
    // Drawing without replacement by probability: the best of the logits with Gumbel noise.
    const noise = tf.random.gumbel(tf.random.splitStacked(own, batch), [beams * fan]);
    const logits = tf.logSoftmax(tf.div(scores, rest.rand_top_k_temp));
    return { kept: tf.topk(tf.add(logits, noise), beams).indices, key: next };
  };

  const step = (loop: Loop): Loop => {
    const [own, key] = tf.random.split(loop.key) as [tf.Tensor, tf.Tensor];
    const after = tf.add(loop.index, tf.scalar(1, 'int32'));
    const token = at(loop.sequences, loop.index);
    const { logits, cache } = plain.next(token, loop.index, loop.cache);
    const fanned = (x: tf.Tensor) => repeat(tf.reshape(x, [batch, beams, -1]), fan, 1);
    const freely = free?.next(token, loop.index, loop.freeCache as GivtCache);
    const drawn = draw(own, fanned(logits), freely && fanned(freely.logits));
    if (beams * fan === 1) {
      const sequences = put(loop.sequences, after, drawn.tokens);
      const caches = { cache, ...(freely && { freeCache: freely.cache }) };
      return { ...loop, ...caches, key, index: after, sequences };
    }
    const before = repeat(tf.reshape(at(loop.logprobs, loop.index), [batch, beams, out_dim]), fan, 1);
    const total = tf.add(drawn.logprobs, before);
    const { kept, key: next } = choose(key, tf.sum(total, 2));
    const parents = tf.floorDiv(kept, tf.scalar(fan, 'int32'));
    const rowOf = tf.add(
      parents,
      tf.mul(tf.reshape(tf.range(0, batch, 1, 'int32'), [batch, 1]), tf.scalar(beams, 'int32')),
    );
    const ofParents = (x: tf.Tensor, axis: number) =>
      tf.gather(x, tf.reshape(rowOf, [rows]) as tf.Tensor1D, axis);
    return {
      key: next,
      index: after,
      sequences: put(ofParents(loop.sequences, 0), after, takeEach(drawn.tokens, kept)),
      logprobs: put(ofParents(loop.logprobs, 0), after, takeEach(total, kept)),
      cache: mapTree<tf.Tensor, tf.Tensor, GivtCache>(cache, (x) => ofParents(x, 1)),
    };
  };

  const [ofFirst, rng] = tf.random.split(key) as [tf.Tensor, tf.Tensor];
  const one = (x: tf.Tensor) => tf.expandDims(x, 1);
  const first = draw(ofFirst, one(plain.first.logits), free && one(free.first.logits));
  const blank = tf.fill([rows, seq_len, out_dim], 0);
  const zero = tf.scalar(0, 'int32');
  // As in the original, one more token is drawn than there are places: with beams, it has a say in which is best.
  const { sequences, logprobs } = tf.whileLoop<Loop>(
    ({ index }) => tf.less(index, tf.scalar(seq_len, 'int32')),
    step,
    {
      key: rng,
      index: zero,
      sequences: put(blank, zero, first.tokens),
      logprobs: put(blank, zero, tf.broadcastTo(first.logprobs, [rows, 1, out_dim])),
      cache: plain.first.cache,
      ...(free && { freeCache: free.first.cache }),
    },
  );
  const best = <T extends tf.Tensor>(x: T) => tf.unstack(tf.reshape(x, [batch, beams, ...x.shape.slice(1)]), 1)[0] as T; // prettier-ignore
  const last = at(best(logprobs), tf.scalar(seq_len - 1, 'int32'));
  return { tokens: best(sequences), logprobs: tf.sum(last, 1) };
}

/** Each entry along the axis `times` times. */
function repeat(x: tf.Tensor, times: number, axis: number): tf.Tensor {
  if (times === 1) return x;
  const inside = tf.expandDims(x, axis + 1);
  const shape = x.shape.map((size, i) => (i === axis ? size * times : size));
  return tf.reshape(tf.concat(Array<tf.Tensor>(times).fill(inside), axis + 1), shape);
}
