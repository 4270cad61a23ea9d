// Classifier-free guidance (arXiv:2207.12598) of densities: p(x | label)^(1 + w) / p(x)^w, which has to be drawn by rejection.

import * as tf from '../../core/tensor';
import { type Component, type Density, normalLogProb, normalSample } from './density';

export type Guided = Pick<Density, 'logProb' | 'sample'>;

/** Draws that are tried. If none is accepted it is one without guidance. */
const tries = 1000;
/** Where the largest ratio of the densities is looked for: this far to both sides of the mean, at as many places. */
const [reach, places] = [10, 1001];

/**
 * @param withLabel of tokens [batch, length, out_dim]
 * @param key int32 [2]: draws the component of a mixture, which is then the one for both
 * @returns logProb: without the constant that makes it a distribution, float [batch, length, out_dim]
 */
export function guided(withLabel: Density, without: Density, weight: number, key: tf.Tensor): Guided {
  const label = withLabel.component(key);
  const free = without.component(key, label.chosen);
  const proposal: Component = { loc: label.loc, scale: tf.mul(tf.maximum(label.scale, free.scale), 2) };
  const logProb = (x: tf.Tensor) =>
    tf.sub(tf.mul(1 + weight, normalLogProb(x, label)), tf.mul(weight, normalLogProb(x, free)));

  const offsets = tf.reshape(tf.linspace(-reach, reach, places), [places, 1, 1, 1]);
  const highest = tf.max(tf.exp(logProb(tf.add(tf.expandDims(label.loc, 0), offsets))), 0);
  const factor = tf.div(highest, tf.exp(normalLogProb(label.loc, proposal)));

  return {
    logProb,
    sample(key) {
      const [ofDraws, ofHeights] = tf.random.split(key) as [tf.Tensor, tf.Tensor];
      const shape = [tries, ...label.loc.shape];
      const draws = tf.add(tf.mul(proposal.scale, tf.random.normal(ofDraws, shape)), proposal.loc);
      const ceiling = tf.mul(factor, tf.exp(normalLogProb(draws, proposal)));
      const heights = tf.mul(tf.random.uniform(ofHeights, shape), ceiling);
      const accepted = tf.cast(tf.less(heights, tf.exp(logProb(draws))), 'float32');
      const first = tf.mul(accepted, tf.cast(tf.equal(tf.cumsum(accepted, 0), 1), 'float32'));
      const drawn = tf.sum(tf.mul(first, draws), 0);
      return tf.where(tf.greater(tf.sum(accepted, 0), 0), drawn, normalSample(ofDraws, label));
    },
  };
}
