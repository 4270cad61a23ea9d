// Cross-entropies. Traced; x are logits, y labels, c runs over the classes.

import type { Loss } from '../../core/extensions';
import * as tf from '../../core/tensor';
import { errors } from './errors';

type Reduction = NonNullable<Parameters<Loss>[1]>;

function reduce(nll: tf.Tensor, { reduction = true }: Reduction = {}): tf.Tensor {
  return reduction ? tf.mean(nll) : nll;
}

/**
 * Sum over classes of independent binary cross-entropies: -sum_c y log s(x) + (1 - y) log s(-x), s the logistic
 * function. logits, labels: [..., classes], which may broadcast. log s(x) is -softplus(-x), which neither overflows nor rounds to log 0.
 */
export const sigmoidXent: Loss = ({ logits, labels }, options) => {
  checkShapes('sigmoid_xent', logits, labels);
  const positive = tf.mul(labels, tf.logSigmoid(logits));
  const negative = tf.mul(tf.sub(1, labels), tf.logSigmoid(tf.neg(logits)));
  return reduce(tf.neg(tf.sum(tf.add(positive, negative), -1)), options);
};

export interface SoftmaxXentOptions {
  /** Subtracts the entropy of the labels, which makes it the Kullback-Leibler divergence of x from y. */
  readonly kl: boolean;
  /** The axis of the classes. */
  readonly axis: number;
}

/**
 * -sum_c y log softmax(x), and with kl: + sum_c y log y. logits, labels: any shapes that broadcast; where their ranks
 * differ, the axis counts from the last.
 */
export const softmaxXent =
  ({ kl, axis }: SoftmaxXentOptions): Loss =>
  ({ logits, labels }, options) => {
    checkShapes('softmax_xent', logits, labels);
    const from = labels.rank === logits.rank ? logits.rank : 0;
    if (axis < -logits.rank || axis >= from) throw errors.axis({ axis, shape: logits.shape, from });
    const rank = Math.max(logits.rank, labels.rank);
    const [y, x] = [labels, logits].map((given) => toLastAxis(withRank(given, rank), axis)) as [tf.Tensor, tf.Tensor]; // prettier-ignore
    let nll = tf.neg(tf.sum(tf.mul(y, tf.logSoftmax(x)), -1));
    // Labels of 0 contribute nothing; the bound keeps the logarithm finite.
    if (kl) nll = tf.add(nll, tf.sum(tf.mul(y, tf.log(tf.maximum(y, 1e-8))), -1));
    return reduce(nll, options);
  };

/** With axes of length 1 in front. */
function withRank(x: tf.Tensor, rank: number): tf.Tensor {
  if (x.rank === rank) return x;
  return tf.reshape(x, [...Array<number>(rank - x.rank).fill(1), ...x.shape]);
}

/** With that axis behind the others. */
export function toLastAxis(x: tf.Tensor, axis: number): tf.Tensor {
  const from = axis < 0 ? axis + x.rank : axis;
  if (from === x.rank - 1) return x;
  const others = Array.from({ length: x.rank }, (_, i) => i).filter((i) => i !== from);
  return tf.transpose(x, [...others, from]);
}

export interface WeightedSoftmaxXentOptions {
  /** The probability that is taken from the true class and spread over the others. */
  readonly label_smoothing: number;
  /** Divides by the number of tokens (or the sum of their weights). */
  readonly normalize: boolean;
}

/**
 * Softmax cross-entropy of sequences of tokens. logits: [batch, length, ..., vocabulary]; labels: [batch, length, ...],
 * int32, one axis fewer, which may broadcast; weights: what broadcasts with labels, or none. Per sequence, the weighted sum
 * over tokens, normalized.
 */
export const weightedSoftmaxXent =
  ({ label_smoothing, normalize }: WeightedSoftmaxXentOptions) =>
  (
    { logits, labels, weights }: Parameters<Loss>[0] & { readonly weights?: tf.Tensor },
    options?: Reduction,
  ): tf.Tensor => {
    // A batch need not have what a loss asks for, whatever the types say.
    if ((labels as tf.Tensor | undefined) === undefined)
      throw errors.noLabels({ loss: 'weighted_softmax_xent' });
    const places = logits.shape.slice(0, -1);
    if (labels.rank < 2 || logits.rank !== labels.rank + 1 || !canBroadcast(places, labels.shape)) {
      throw errors.tokens({ logits: logits.shape, labels: labels.shape });
    }
    const [vocabulary, length] = [logits.shape.at(-1), labels.shape[1]] as [number, number];
    const others = label_smoothing / (vocabulary - 1);
    const target = tf.oneHot(labels, vocabulary, 1 - label_smoothing, others, 'float32');
    let nll = tf.neg(tf.sum(tf.mul(target, tf.logSoftmax(logits)), -1));
    if (weights) nll = tf.mul(nll, weights);
    let perExample = tf.sum(nll, 1);
    if (normalize) {
      const tokens = weights ? tf.maximum(tf.sum(weights, 1), 2e-38) : length;
      perExample = tf.div(perExample, tokens);
    }
    return reduce(perExample, options);
  };

/** Labels may broadcast, but for numbers of classes: these were to be one-hot. */
function checkShapes(loss: string, logits: tf.Tensor, labels: tf.Tensor | undefined): void {
  if (labels === undefined) throw errors.noLabels({ loss });
  const numbers = labels.dtype === 'int32' && labels.rank < logits.rank;
  if (numbers || !canBroadcast(logits.shape, labels.shape)) {
    throw errors.shapes({ loss, logits: logits.shape, labels: labels.shape });
  }
}

function canBroadcast(a: readonly number[], b: readonly number[]): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return short.every((dim, i) => {
    const other = long[i + long.length - short.length];
    return dim === other || dim === 1 || other === 1;
  });
}
