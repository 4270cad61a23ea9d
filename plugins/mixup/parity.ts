// Runs recorded cases of mixup.

import { type HostArray, hostArray } from '../../core/array';
import type { Batch } from '../../core/extensions';
import type { ParityRunner } from '../../core/parity/case';
import { fetchAll, sendAll } from '../../core/parity/tensors';
import * as tf from '../../core/tensor';
import { drawWeight, mix } from './mix';

export const mixupRunners: Readonly<Record<string, ParityRunner>> = {
  'loss mixup': async ({ inputs }, { runtime }) => {
    const f = ({ a, ...things }: Batch) =>
      Object.fromEntries(Object.entries(things).map(([name, x]) => [name, mix(a as tf.Tensor, x)]));
    const sent = sendAll(runtime, Object.fromEntries(inputs)) as Batch;
    return fetchAll(runtime, runtime.jit(f, { name: 'parity mixup' })(sent));
  },

  // `rng` is the key that the step goes on with.
  'loss mixup:key': async ({ args, inputs }, { runtime }) => {
    const { seed, p } = args as { seed: number; p: number };
    const f = (key: tf.Tensor, things: Batch) => {
      const [rng, subkey] = tf.random.split(key) as [tf.Tensor, tf.Tensor];
      const a = drawWeight(subkey, p);
      const mixed = Object.entries(things).map(([name, x]) => [name, mix(a, x)] as const);
      return { ...Object.fromEntries(mixed), rng };
    };
    const key = runtime.toDevice(tf.random.keyArray(tf.random.key(seed)));
    const sent = sendAll(runtime, Object.fromEntries(inputs)) as Batch;
    return fetchAll(runtime, runtime.jit(f, { name: 'parity mixup' })(key, sent));
  },

  'loss mixup:distribution': async ({ args }, { runtime }) => {
    const { draws, p } = args as { draws: number; p: number };
    const f = (key: tf.Tensor) => drawWeight(key, p, [draws]);
    const key = runtime.toDevice(tf.random.keyArray(tf.random.key(0)));
    const weights = await runtime.toHost(runtime.jit(f, { name: 'parity mixup weights' })(key));
    return statisticsOf(Array.from(weights.data));
  },
};

/** Counts in 20 equal bins from 1/2 to 1, mean and deviation. */
function statisticsOf(values: readonly number[]): Map<string, HostArray> {
  const bins = 20;
  const counts = Array.from({ length: bins }, () => 0);
  for (const value of values) {
    const bin = Math.min(bins - 1, Math.floor((value - 0.5) * 2 * bins));
    counts[bin] = (counts[bin] as number) + 1;
  }
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return new Map<string, HostArray>([
    ['histogram', hostArray('int32', [bins], counts)],
    [
      'edges',
      hostArray(
        'float32',
        [bins + 1],
        Array.from({ length: bins + 1 }, (_, i) => 0.5 + i / 2 / bins),
      ),
    ],
    ['mean', hostArray('float32', [], [mean])],
    ['std', hostArray('float32', [], [Math.sqrt(variance)])],
  ]);
}
