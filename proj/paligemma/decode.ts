// Answers word by word: drawn (the best of several), or by beam search. Each is one program with a loop in it.

import { z } from 'zod';
import type { Batch } from '../../core/extensions';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import type { Tree } from '../../core/tree';
import { batchKey } from '../../plugins/evaluators';
import { takeEach } from '../../plugins/layers';
import { extend, prefill, type Reading, rowsOfReading, type Step } from './cache';
import type { Paligemma } from './model';
import { parseSampler } from './sampler';

const common = {
  max_decode_len: z.int().min(1).describe('how many words an answer has at most'),
  eos_token: z.int().min(0).default(1).describe("ends an answer; evaluators give their tokenizer's"),
};

export const drawOptions = z.strictObject({
  ...common,
  best_of_n: z.int().min(1).default(1).describe('of so many answers the likeliest is taken'),
  sampler: z.string().default('greedy').describe('greedy, temperature(t) or nucleus(p, t=1.0)'),
  eos_look_behind: z.int().min(0).default(0).describe('not used: the loop is on the device'),
  seed: z
    .int()
    .min(0)
    .default(0)
    .describe('of the samplers that draw; what is drawn depends on the images too'),
});

export const beamOptions = z.strictObject({
  ...common,
  beam_size: z.int().min(1).describe('how many unfinished answers are kept'),
});

/** Words, 0 after the last step, and their log probabilities: [..., length]. */
interface Written extends Readonly<Record<string, tf.Tensor>> {
  readonly tokens: tf.Tensor;
  readonly logp: tf.Tensor;
}

const int = (value: number) => tf.scalar(value, 'int32');
const placesOf = ({ shape }: tf.Tensor) => tf.range(0, shape.at(-1) as number, 1, 'int32');

const blank = (...shape: number[]): Written => ({
  tokens: tf.fill(shape, 0, 'int32'),
  logp: tf.fill(shape, 0),
});

/** With one more word at the place `at`: `tokens` and `logp` are those of the word, [...]. */
function write({ tokens, logp }: Written, at: tf.Tensor, next: Written): Written {
  const here = tf.equal(placesOf(tokens), at);
  return {
    tokens: tf.where(here, tf.expandDims(next.tokens, -1), tokens),
    logp: tf.where(here, tf.expandDims(next.logp, -1), logp),
  };
}

/** Log probability of each sequence up to its first end, inclusive: [..., length] -> [...]. */
function scoreOf({ tokens, logp }: Written, eos: number): tf.Tensor {
  const ended = tf.cumsum(tf.cast(tf.equal(tokens, int(eos)), 'int32'), -1);
  const words = tf.add(tf.sum(tf.cast(tf.equal(ended, int(0)), 'int32'), -1, true), int(1));
  return tf.sum(tf.where(tf.less(placesOf(tokens), words), logp, 0), -1);
}

/** Log probability of the first `count` words. */
const scoreOfFirst = ({ logp }: Written, count: tf.Tensor): tf.Tensor =>
  tf.sum(tf.where(tf.less(placesOf(logp), count), logp, 0), -1);

/** Those of each example's own places, along the second axis. */
const takeBoth = ({ tokens, logp }: Written, index: tf.Tensor): Written => ({
  tokens: takeEach(tokens, index),
  logp: takeEach(logp, index),
});

const notPadding = ({ _mask, text }: Batch): tf.Tensor =>
  _mask ? tf.cast(_mask, 'bool') : tf.fill([text!.shape[0] as number], 1, 'bool');

interface Loop {
  /** How many words there are. */
  readonly count: tf.Tensor;
  readonly reading: Reading;
}

/** Goes on until `done`, or until there is no more room. */
function writeOn<State extends Loop>(
  state: State,
  room: number,
  done: (state: State) => tf.Tensor,
  next: (state: State) => State,
): State {
  type Carry = State & Tree<tf.Tensor>;
  return tf.whileLoop<Carry>(
    (carry) => tf.logicalAnd(tf.less(carry.count, int(room)), tf.logicalNot(done(carry))),
    (carry) => next(carry) as Carry,
    state as Carry,
  );
}

/**
 * Answers of drawn words. What comes after the first end of an answer counts for nothing; all stop when every example has
 * one. Traced.
 * @param batch as `prefill` takes it; optionally `_mask`: 0 for padding, which nobody waits for; and `mask_logits`
 *   [batch, vocab_size]: 1 for words that are never taken, though their probability counts
 * @returns int32 and float32 [batch, max_decode_len]
 */
export function draw(
  model: Paligemma,
  scope: Scope,
  batch: Batch,
  { max_decode_len: room, eos_token: eos, best_of_n: n, sampler, seed }: z.output<typeof drawOptions>,
): Written {
  const examples = batch.text!.shape[0] as number;
  const take = parseSampler(sampler);
  const rows = tf.floorDiv(tf.range(0, examples * n, 1, 'int32'), int(n));
  const repeated = (x: tf.Tensor) => tf.gather(x, rows as tf.Tensor1D);
  const counts = repeated(tf.cast(notPadding(batch), 'int32'));
  const never = batch.mask_logits && tf.cast(repeated(batch.mask_logits), 'bool');
  const key = batchKey(batch, seed);

  interface State extends Loop {
    readonly written: Written;
    readonly last: tf.Tensor;
  }
  const word = (written: Written, count: tf.Tensor, { reading, logits }: Step): State => {
    const allowed = never ? tf.where(never, -Infinity, logits) : logits;
    const tokens = take(allowed, tf.random.foldIn(key, count));
    const logp = tf.squeeze(takeEach(tf.logSoftmax(logits), tf.expandDims(tokens, 1)), [1]);
    const after = write(written, count, { tokens, logp });
    return { count: tf.add(count, int(1)), reading, written: after, last: tokens };
  };
  const done = ({ written: { tokens }, count }: State): tf.Tensor => {
    const isEnd = tf.logicalAnd(tf.equal(tokens, int(eos)), tf.less(placesOf(tokens), count));
    return tf.all(tf.logicalOr(tf.any(isEnd, 1), tf.equal(counts, int(0))));
  };

  const first = prefill(model, scope, batch, room);
  const begun =
    n === 1 ? first : { reading: rowsOfReading(first.reading, rows), logits: repeated(first.logits) };
  const { written } = writeOn(
    word(blank(examples * n, room), int(0), begun),
    room,
    done,
    ({ written, count, reading, last }) => word(written, count, extend(model, scope, reading, last)),
  );
  if (n === 1) return written;

  const each = (x: tf.Tensor) => tf.reshape(x, [examples, n, room]);
  const all = { tokens: each(written.tokens), logp: each(written.logp) };
  const best = tf.cast(tf.argMax(scoreOf(all, eos), 1), 'int32');
  const { tokens, logp } = takeBoth(all, tf.expandDims(best, 1));
  return { tokens: tf.squeeze(tokens, [1]), logp: tf.squeeze(logp, [1]) };
}

/** Takes the place of minus infinity, as in the original. */
const lowest = -3.4028234663852886e38;

/**
 * Answers by beam search: of `beam_size` unfinished answers and one that is finished the likeliest are kept, without regard
 * to length. It stops when no unfinished one is likelier than the finished one of its example. Traced.
 * @returns int32 [batch, max_decode_len]
 */
export function beamSearch(
  model: Paligemma,
  scope: Scope,
  batch: Batch,
  { max_decode_len: room, eos_token: eos, beam_size: n }: z.output<typeof beamOptions>,
): tf.Tensor {
  const examples = batch.text!.shape[0] as number;
  const padding = tf.logicalNot(notPadding(batch));

  interface State extends Loop {
    /** The best finished answer: [batch, 1, length]. */
    readonly best: Written;
    /** Unfinished ones: [batch, n, length]. */
    readonly live: Written;
    /** int32 [batch * n] */
    readonly last: tf.Tensor;
  }
  /** The next words of `live`, of which there is one an example at first. */
  const word = (
    best: Written | undefined,
    live: Written,
    count: tf.Tensor,
    { reading, logits }: Step,
  ): State => {
    const before = live.tokens.shape[1] as number;
    const words = logits.shape[1] as number;
    const logp = tf.reshape(tf.logSoftmax(logits), [examples, before, words]);

    const ended = write(live, count, {
      tokens: tf.fill([examples, before], eos, 'int32'),
      logp: tf.squeeze(tf.slice(logp, [0, 0, eos], [examples, before, 1]), [2]),
    });
    const finished = best
      ? { tokens: tf.concat([best.tokens, ended.tokens], 1), logp: tf.concat([best.logp, ended.logp], 1) }
      : ended;
    const likeliest = tf.cast(tf.argMax(scoreOf(finished, eos), 1), 'int32');

    const top = tf.topk(logp, n + 1);
    const scores = tf.add(tf.expandDims(scoreOfFirst(live, count), 2), top.values);
    const unfinished = tf.where(tf.notEqual(top.indices, int(eos)), scores, lowest);
    const flat = (x: tf.Tensor) => tf.reshape(x, [examples, before * (n + 1)]);
    const chosen = tf.cast(tf.topk(flat(unfinished), n).indices, 'int32');
    const source = tf.floorDiv(chosen, int(n + 1));
    const next = {
      tokens: takeEach(flat(tf.cast(top.indices, 'int32')), chosen),
      logp: takeEach(flat(top.values), chosen),
    };
    const firstRows = tf.expandDims(tf.range(0, examples * before, before, 'int32'), 1);
    return {
      count: tf.add(count, int(1)),
      reading: rowsOfReading(reading, tf.reshape(tf.add(source, firstRows), [examples * n])),
      best: takeBoth(finished, tf.expandDims(likeliest, 1)),
      live: write(takeBoth(live, source), count, next),
      last: tf.reshape(next.tokens, [examples * n]),
    };
  };
  const done = ({ best, live, count }: State): tf.Tensor => {
    const hope = tf.max(scoreOfFirst(live, count), 1);
    const reached = tf.squeeze(scoreOf(best, eos), [1]);
    return tf.all(tf.logicalOr(tf.less(hope, reached), padding));
  };

  const first = prefill(model, scope, batch, room);
  const { best } = writeOn(
    word(undefined, blank(examples, 1, room), int(0), first),
    room,
    done,
    ({ best, live, count, reading, last }) => word(best, live, count, extend(model, scope, reading, last)),
  );
  return tf.squeeze(best.tokens, [1]);
}
