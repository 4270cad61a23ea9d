// What a tower's output becomes, and the parameters that scale similarities.

import type { Container } from '../../core/container';
import type { Batch, CallOptions, Model, ModelResult, Registry } from '../../core/extensions';
import { constant } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import type { Tree } from '../../core/tree';

/** Makes a tower of a model's name and options; `where` is the config key that holds them. */
export type MakeTower = (name: string, options: Record<string, unknown>, where: string) => Model;

/** Makes towers of registered models. */
export const towersOf =
  (registry: Registry, container: Container): MakeTower =>
  (name, options, where) =>
    registry.create(container, 'model', name, options, where);

/** What a tower embeds, where both models of images and of texts find it: either may be the tower. */
export const inputOf = (x: tf.Tensor): Batch => ({ image: x, text: x });

/**
 * A tower's output [batch, width] at length 1: z / (|z| + 1e-8).
 * @returns out: the tower's, norm [batch, 1], normalized
 */
export function embed(tower: Model, scope: Scope, batch: Batch, call: CallOptions): ModelResult {
  const { output, out } = tower.apply(scope, batch, call);
  const z = output as tf.Tensor;
  const norm = tf.sqrt(tf.sum(tf.square(z), 1, true));
  const normalized = tf.div(z, tf.add(norm, 1e-8));
  return { output: normalized, out: { ...(out as Record<string, Tree<tf.Tensor>>), norm, normalized } };
}

/**
 * The factor of similarities. Parameter: `t` [1], its logarithm.
 * @returns t, and as `t/parameter` its logarithm
 */
export function temperature(scope: Scope, initial: number): Record<'t' | 't/parameter', tf.Tensor> {
  const parameter = scope.param('t', [1], constant(Math.log(initial)));
  return { t: tf.exp(parameter), 't/parameter': parameter };
}
