// Transforms that treat each leaf by itself: what most of them are.

import type { GradientTransform, Params } from '../../core/extensions';
import * as tf from '../../core/tensor';
import { zipNamed } from '../../core/tree';
import { mapToTrees, stateOf } from './trees';

type Kept<K extends string> = Readonly<Record<K, tf.Tensor>>;

/** `K`: what is kept for each leaf between steps. `Shared`: what all leaves use in a step. */
export interface LeafRule<K extends string, Shared> {
  /** What is kept at first for a parameter. */
  init(param: tf.Tensor): Kept<K>;
  /** From t = 1, 2, ...: float32 []. With it, the state has a count of steps. */
  readonly shared?: (t: tf.Tensor) => Shared;
  /** The update of gradient g, and what is kept from now on. */
  update(g: tf.Tensor, kept: Kept<K>, param: tf.Tensor, shared: Shared): Kept<K | 'updates'>;
}

/** State: KEPT/NAME of each leaf, and count where the rule needs t. */
export function leafwise<K extends string, Shared = undefined>({
  init,
  shared,
  update,
}: LeafRule<K, Shared>): GradientTransform {
  return {
    init: (params) => ({
      ...(shared ? { count: tf.scalar(0, 'int32') } : {}),
      ...mapToTrees(params, (_, param) => init(param)),
    }),
    update(grads, state, params) {
      const count = shared ? tf.add(stateOf(state, 'count'), tf.scalar(1, 'int32')) : undefined;
      const inCommon = (count && shared?.(tf.cast(count, 'float32'))) as Shared;
      const keys = Object.keys(state).filter((key) => key !== 'count');
      const { updates, ...kept } = mapToTrees(grads, (name, g) => {
        const before = Object.fromEntries(keys.map((key) => [key, stateOf(state, `${key}/${name}`)]));
        return update(g, before as Kept<K>, stateOf(params, name), inCommon);
      });
      return { updates: updates as Params, state: { ...(count ? { count } : {}), ...kept } };
    },
  };
}

/** Updates that are a function of an update and its parameter alone. */
export function stateless(f: (update: tf.Tensor, param: tf.Tensor) => tf.Tensor): GradientTransform {
  return {
    init: () => ({}),
    update: (updates, _, params) => ({
      updates: zipNamed<tf.Tensor, tf.Tensor>([updates, params], (...leaves) =>
        f(...(leaves as [tf.Tensor, tf.Tensor])),
      ),
      state: {},
    }),
  };
}
