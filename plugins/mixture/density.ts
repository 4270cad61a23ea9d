// Distributions of real-valued vectors, as a transformer says them about the next token: mixtures of normal distributions.

import { catalogue } from '../../core/errors';
import * as tf from '../../core/tensor';

export interface MixtureOptions {
  readonly out_dim: number;
  readonly num_mixtures: number;
  readonly multivariate: boolean;
  readonly per_channel_mixtures: boolean;
  readonly scale_tol: number;
  readonly fix_square_plus: boolean;
}

/** Sharpens what is drawn: scales are multiplied, and the logits of components. */
export interface Temperatures {
  readonly scales?: number;
  readonly probs?: number;
}

/** Of tokens [..., out_dim]. */
export interface Density {
  /** float [..., out_dim] where channels are independent, else [...]. */
  logProb(x: tf.Tensor): tf.Tensor;
  /** @param key int32 [2] */
  sample(key: tf.Tensor): tf.Tensor;
  /**
   * One normal distribution for each channel: float [..., out_dim]. Of a mixture of vectors that is a drawn component;
   * `like` draws the same component again.
   */
  component(key: tf.Tensor, like?: tf.Tensor): Component;
}
export interface Component {
  readonly loc: tf.Tensor;
  readonly scale: tf.Tensor;
  /** One-hot: float [..., num_mixtures]; absent where there was no choice. */
  readonly chosen?: tf.Tensor;
}

const errors = catalogue('mixture', {
  oneComponent: (v: { num_mixtures: number }) => ({
    what: `Guidance needs one normal distribution for each channel, and the model has ${v.num_mixtures} components, or a full covariance.`,
    fix: 'set cfg_inference_weight to 0, or train a model with num_mixtures: 1 or per_channel_mixtures: false.',
  }),
});

/** How many numbers a token's distribution takes. */
export function numLogits({
  out_dim,
  num_mixtures,
  multivariate,
  per_channel_mixtures,
}: MixtureOptions): number {
  if (multivariate) return out_dim * out_dim + out_dim;
  return per_channel_mixtures ? 3 * num_mixtures * out_dim : num_mixtures * (1 + 2 * out_dim);
}

/** @param logits float [..., numLogits] */
export function density(
  logits: tf.Tensor,
  options: MixtureOptions,
  temperatures: Temperatures = {},
): Density {
  const of = options.multivariate ? fullCovariance : options.per_channel_mixtures ? perChannel : ofVectors;
  return of(logits, options, temperatures);
}

type MakeDensity = (logits: tf.Tensor, options: MixtureOptions, temperatures: Temperatures) => Density;

const halfLog2Pi = 0.5 * Math.log(2 * Math.PI);

export const normalLogProb = (x: tf.Tensor, { loc, scale }: Component): tf.Tensor =>
  tf.sub(tf.mul(-0.5, tf.square(tf.div(tf.sub(x, loc), scale))), tf.add(halfLog2Pi, tf.log(scale)));

/**
 * Negative log-probability of numbers under a standard normal distribution, each in a step of this width that is narrow
 * enough for its density to be even; at width 1 the negative log-density. float, of the shape of x.
 */
export const standardNormalNll = (x: tf.Tensor, width = 1): tf.Tensor =>
  tf.add(tf.mul(0.5, tf.square(x)), halfLog2Pi - Math.log(width));

export const normalSample = (key: tf.Tensor, { loc, scale }: Component): tf.Tensor =>
  tf.add(tf.mul(scale, tf.random.normal(key, loc.shape)), loc);

/** Positive. By default 1 for 0, as the published models were trained; `fix_square_plus` also halves x. */
function positive(x: tf.Tensor, { fix_square_plus }: MixtureOptions): tf.Tensor {
  const root = tf.sqrt(tf.add(tf.square(x), 4));
  return fix_square_plus ? tf.div(tf.add(x, root), 2) : tf.add(x, tf.div(root, 2));
}

/** A component by its log-weight, one-hot: float [..., num_mixtures]. */
const drawn = (key: tf.Tensor, logWeights: tf.Tensor) =>
  tf.oneHot(tf.random.categorical(key, logWeights), logWeights.shape.at(-1) as number, 1, 0, 'float32');

const times = (x: tf.Tensor, factor: number | undefined) => (factor === undefined ? x : tf.mul(x, factor));

/** A mixture of normal distributions for each channel alone: [..., 3, out_dim, num_mixtures]. */
const perChannel: MakeDensity = (logits, options, temperatures) => {
  const { out_dim, num_mixtures, scale_tol } = options;
  const lead = logits.shape.slice(0, -1);
  const parts = tf.split(tf.reshape(logits, [...lead, 3 * out_dim, num_mixtures]), 3, lead.length);
  const [weights, loc, raw] = parts as [tf.Tensor, tf.Tensor, tf.Tensor];
  const logWeights = tf.logSoftmax(times(weights, temperatures.probs));
  const scale = times(tf.maximum(positive(raw, options), scale_tol), temperatures.scales);
  return {
    logProb: (x) => tf.logSumExp(tf.add(normalLogProb(tf.expandDims(x, -1), { loc, scale }), logWeights), -1),
    sample(key) {
      const [ofChoice, ofComponents] = tf.random.split(key) as [tf.Tensor, tf.Tensor];
      return tf.sum(tf.mul(normalSample(ofComponents, { loc, scale }), drawn(ofChoice, logWeights)), -1);
    },
    component() {
      if (num_mixtures !== 1) throw errors.oneComponent({ num_mixtures });
      return { loc: tf.squeeze(loc, [-1]), scale: tf.squeeze(scale, [-1]) };
    },
  };
};

/** A mixture of normal distributions of whole vectors with diagonal covariances: weights, then [num_mixtures, 2, out_dim]. */
const ofVectors: MakeDensity = (logits, options, temperatures) => {
  const { out_dim, num_mixtures, scale_tol } = options;
  const lead = logits.shape.slice(0, -1);
  const [weights, others] = tf.split(logits, [num_mixtures, 2 * num_mixtures * out_dim], lead.length) as [
    tf.Tensor,
    tf.Tensor,
  ];
  const [loc, raw] = tf.unstack(tf.reshape(others, [...lead, num_mixtures, 2, out_dim]), lead.length + 1) as [
    tf.Tensor,
    tf.Tensor,
  ];
  const logWeights = tf.logSoftmax(times(weights, temperatures.probs));
  const scale = times(tf.maximum(positive(raw, options), scale_tol), temperatures.scales);
  const choose = (key: tf.Tensor) => drawn(key, logWeights);
  const only = (x: tf.Tensor, chosen: tf.Tensor) => tf.sum(tf.mul(x, tf.expandDims(chosen, -1)), -2);
  return {
    logProb(x) {
      const ofChannels = normalLogProb(tf.expandDims(x, -2), { loc, scale });
      return tf.logSumExp(tf.add(tf.sum(ofChannels, -1), logWeights), -1);
    },
    sample(key) {
      const [ofChoice, ofComponents] = tf.random.split(key) as [tf.Tensor, tf.Tensor];
      return only(normalSample(ofComponents, { loc, scale }), choose(ofChoice));
    },
    component(key, like) {
      const chosen = like ?? choose(key);
      return { loc: only(loc, chosen), scale: only(scale, chosen), chosen };
    },
  };
};

/** One normal distribution of vectors: the lower triangle of a matrix [out_dim, out_dim], then the mean. */
const fullCovariance: MakeDensity = (logits, options, temperatures) => {
  const { out_dim, scale_tol } = options;
  const lead = logits.shape.slice(0, -1);
  const [raw, loc] = tf.split(logits, [out_dim * out_dim, out_dim], lead.length) as [tf.Tensor, tf.Tensor];
  const square = tf.reshape(positive(raw, options), [...lead, out_dim, out_dim]);
  const scales = times(tf.maximum(square, tf.mul(tf.eye(out_dim), scale_tol)), temperatures.scales);
  const index = tf.range(0, out_dim, 1, 'int32');
  const lower = tf.where(tf.greaterEqual(tf.expandDims(index, 1), index), scales, tf.zerosLike(scales));
  const diagonal = tf.sum(tf.mul(lower, tf.eye(out_dim)), -1);
  return {
    logProb(x) {
      const z = solveLower(lower, tf.sub(x, loc));
      const ofChannels = tf.sub(tf.mul(-0.5, tf.square(z)), tf.add(halfLog2Pi, tf.log(diagonal)));
      return tf.sum(ofChannels, -1);
    },
    sample(key) {
      const z = tf.expandDims(tf.random.normal(key, loc.shape), -1);
      return tf.add(tf.squeeze(tf.matMul(lower, z), [-1]), loc);
    },
    component() {
      throw errors.oneComponent({ num_mixtures: 1 });
    },
  };
};

/** z where matrix z = b, by forward substitution. @param matrix lower triangular [..., n, n] @param b [..., n] */
function solveLower(matrix: tf.Tensor, b: tf.Tensor): tf.Tensor {
  const n = b.shape.at(-1) as number;
  const rows = tf.unstack(matrix, -2);
  const solved: tf.Tensor[] = [];
  tf.unstack(b, -1).forEach((right, i) => {
    const row = tf.unstack(rows[i] as tf.Tensor, -1);
    const known = solved.map((z, j) => tf.mul(row[j] as tf.Tensor, z));
    const rest = known.length > 0 ? tf.sub(right, tf.addN(known)) : right;
    solved.push(tf.div(rest, row[i] as tf.Tensor));
  });
  return n === 1 ? tf.expandDims(solved[0] as tf.Tensor, -1) : tf.stack(solved, -1);
}
