// Losses by their registered names: values, and gradients of the sum of the values.

import type { Batch } from '../../extensions';
import * as tf from '../../tensor';
import type { ParityRunner } from '../case';
import { fetchAll, sendAll } from '../tensors';

/** Op by op, as the cases were recorded. */
export const lossRunner: ParityRunner = async (recorded, { runtime, registry, container }) => {
  const { name, args, inputs, wanted } = recorded;
  const { reduction, ...options } = args as { reduction?: boolean };
  const loss = registry.create(container, 'loss', name, options, 'args');
  const f = (batch: Batch) => {
    const of = (given: Batch) => loss(given as Parameters<typeof loss>[0], { reduction });
    const grads = gradientsOfSum(of, batch, wanted);
    return { output: of(batch), ...grads };
  };
  return fetchAll(runtime, f(sendAll(runtime, Object.fromEntries(inputs)) as Batch));
};

/** `grad/NAME` of the sum of a function's values, for each of its inputs whose gradient was recorded. Traced. */
export function gradientsOfSum(
  f: (batch: Batch) => tf.Tensor,
  batch: Batch,
  wanted: ReadonlySet<string>,
): Record<string, tf.Tensor> {
  const names = Object.keys(batch).filter((name) => wanted.has(`grad/${name}`));
  if (names.length === 0) return {};
  const { grads } = tf.valueAndGrads((...values: tf.Tensor[]) => {
    const changed = Object.fromEntries(names.map((name, i) => [name, values[i] as tf.Tensor]));
    return tf.sum(f({ ...batch, ...changed }));
  })(names.map((name) => batch[name] as tf.Tensor));
  return Object.fromEntries(names.map((name, i) => [`grad/${name}`, grads[i] as tf.Tensor]));
}
