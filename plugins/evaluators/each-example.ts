// Values of each example in host memory, for metrics and pictures that are made there.

import { entryOf, type HostArray } from '../../core/array';
import { catalogue } from '../../core/errors';
import type { Batch, EvaluatorContext, ModelResult, Params } from '../../core/extensions';
import * as tf from '../../core/tensor';
import { namedLeaves } from '../../core/tree';
import { forEachBatch, openPass, type PassOptions, type PassServices } from './feed';
import type { PerExampleFn } from './per-example';
import { countedRows } from './rows';

/** One example's values, without the batch axis, and its place in the data. */
export type ExampleFn<K extends string> = (
  values: Readonly<Record<K, HostArray>>,
  index: number,
) => void | Promise<void>;

/**
 * A pass that hands over each example in the order of the data, or the first `limit` of them, and no padding. `valuesOf`
 * is traced; what it gives has a leading batch axis.
 */
export async function forEachExample<K extends string>(
  options: PassOptions,
  context: EvaluatorContext & { readonly limit?: number },
  services: PassServices,
  valuesOf: (...args: Parameters<PerExampleFn>) => Readonly<Record<K, tf.Tensor>>,
): Promise<(params: Params, use: ExampleFn<K>) => Promise<void>> {
  const { runtime } = services;
  const { name, batch_size, limit = Infinity } = context;
  const input = await openPass(options, context, services);
  const step = runtime.jit(
    (...args: Parameters<PerExampleFn>) => {
      // Copies, since what is given to an eager runtime's function stays the caller's.
      const named = Object.entries<tf.Tensor>(valuesOf(...args));
      const values = Object.fromEntries(named.map(([name, x]) => [name, tf.clone(x)]));
      return { values, mask: tf.clone(args[1]._mask as tf.Tensor) };
    },
    { name: `evals.${name}` },
  );

  return async (params, use) => {
    let index = 0;
    let done = Promise.resolve();
    const toHost = async (x: tf.Tensor) => {
      const array = await runtime.toHost(x);
      tf.dispose(x);
      return array;
    };
    const useBatch = (batch: Batch) => {
      const { values, mask } = step(params, batch);
      const reads = Promise.all(
        Object.entries<tf.Tensor>(values).map(async ([name, x]) => [name, await toHost(x)] as const),
      );
      const counts = toHost(mask);
      done = done.then(async () => {
        const arrays = await reads;
        for (const row of countedRows(await counts)) {
          if (index === limit) return;
          const entries = arrays.map(([name, array]) => [name, entryOf(array, row)]);
          await use(Object.fromEntries(entries) as Record<K, HostArray>, index++);
        }
      });
      // Reported where it is waited for.
      done.catch(() => undefined);
      return done;
    };
    await forEachBatch(runtime, input, useBatch, Math.ceil(limit / batch_size));
    await done;
  };
}

const errors = catalogue('eval', {
  severalOutputs: (v: { name: string; outputs: readonly string[] }) => ({
    what: `evals.${v.name} takes one output of its predict function, which gives ${v.outputs.length}: ${v.outputs.join(', ')}.`,
    fix: 'name another predict function with pred, or add one in the hook `predict`.',
  }),
});

/** What a model gives, if it is one tensor, also under a name. */
export function onlyOutput(name: string, { output }: ModelResult): tf.Tensor {
  const named = namedLeaves<tf.Tensor>(output);
  const [first] = named;
  if (!first || named.length > 1) throw errors.severalOutputs({ name, outputs: named.map(([key]) => key) });
  return first[1];
}
