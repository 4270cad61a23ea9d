// Distances between what a student and a teacher give for the same examples. Traced.

import * as tf from '../../core/tensor';
import { softmaxXent, toLastAxis } from './xent';

export const distanceKinds = ['euclidean', 'l2', 'hard', 'kl', 'logsoftmax_euclidean', 'agree'] as const;
export type DistanceKind = (typeof distanceKinds)[number];

export interface DistanceOptions {
  readonly kind: DistanceKind;
  /** The axis of features or classes. */
  readonly feat_axis?: number;
  /** Added under the root of Euclidean distances, which have no gradient at 0 otherwise. */
  readonly epsilon?: number;
  /** Temperature of `kl`. */
  readonly t?: number;
  /** Label smoothing of `hard`. */
  readonly ls?: number;
  /** How many of the student's best classes `agree` looks through. */
  readonly k?: number;
}

/**
 * The distance of student and teacher, float tensors of one shape, along `feat_axis`, which the result lacks. For `hard`,
 * `kl`, `logsoftmax_euclidean` and `agree` the features are logits; `kl` is the divergence from the softened teacher,
 * times t^2 (arXiv:1503.02531), `hard` the one from its best class, and `agree` counts (int32) the student's k best
 * classes that are the teacher's best.
 */
export function distance(
  student: tf.Tensor,
  teacher: tf.Tensor,
  { kind, feat_axis = -1, epsilon = 1e-12, t = 1, ls = 0, k = 1 }: DistanceOptions,
): tf.Tensor {
  const axis = feat_axis < 0 ? feat_axis + student.rank : feat_axis;
  const divergence = softmaxXent({ kl: true, axis });
  const euclidean = (difference: tf.Tensor) => tf.sqrt(tf.add(tf.sum(tf.square(difference), axis), epsilon));

  switch (kind) {
    case 'euclidean':
      return euclidean(tf.sub(student, teacher));
    case 'l2':
      return tf.sum(tf.squaredDifference(student, teacher), axis);
    case 'logsoftmax_euclidean':
      return euclidean(tf.sub(tf.logSoftmax(student, axis), tf.logSoftmax(teacher, axis)));
    case 'hard': {
      const classes = teacher.shape[axis] as number;
      const best = tf.cast(tf.argMax(teacher, axis), 'int32');
      const labels = tf.oneHot(best, classes, 1 - ls, ls / (classes - 1), 'float32');
      return divergence({ logits: student, labels }, { reduction: false });
    }
    case 'kl': {
      const logits = tf.div(student, t);
      // As in the original, probabilities are over the last axis, whichever is that of features.
      const labels = tf.softmax(tf.div(teacher, t));
      return tf.mul(t ** 2, divergence({ logits, labels }, { reduction: false }));
    }
    case 'agree': {
      const best = (x: tf.Tensor, k: number) => tf.topk(toLastAxis(x, axis), k).indices;
      return tf.sum(tf.cast(tf.equal(best(student, k), best(teacher, 1)), 'int32'), -1);
    }
  }
}
