// Top-1 accuracy and loss on labelled images.

import { z } from 'zod';
import { dataSchema } from '../../core/config/schema';
import type { Container } from '../../core/container';
import type {
  Batch,
  Evaluator,
  EvaluatorContext,
  Loss,
  Params,
  PredictFn,
  Registry,
} from '../../core/extensions';
import { batchSharding, type Runtime } from '../../core/runtime';
import * as tf from '../../core/tensor';
import type { HostBatch, InputPipeline } from '../../core/train/run';

export const classificationOptions = z.strictObject({
  data: dataSchema,
  pp_fn: z.string().default('').describe('preprocessing; has to leave image and labels'),
  loss_name: z.string().describe('a loss of logits and labels: see `bv list losses`'),
  label_key: z.string().default('labels').describe('key of the labels, one row of classes an example'),
  workers: z.number().int().min(0).optional().describe('worker threads for preprocessing'),
});
export type ClassificationOptions = z.output<typeof classificationOptions>;

/** Running sums over the data: hits, losses, and examples that count. */
interface Sums {
  readonly correct: tf.Tensor;
  readonly loss: tf.Tensor;
  readonly seen: tf.Tensor;
}

/** Batches on their way to the device at a time. */
const maxInFlight = 8;

/**
 * Traced: adds one batch to the sums. An example counts by its mask times its largest label, so one without a label doesn't count;
 * a hit is the label's value at the arg-max, so any of several labels is one.
 */
export function accumulate(
  predict: PredictFn,
  loss: Loss,
  params: Params,
  batch: Batch,
  { labels, mask }: { readonly labels: tf.Tensor; readonly mask: tf.Tensor },
  sums: Sums,
): Sums {
  const logits = predict(params, batch).output as tf.Tensor;
  const counts = tf.mul(mask, tf.max(labels, -1));
  const losses = loss({ logits, labels }, { reduction: false });
  const classes = labels.shape.at(-1) as number;
  const top1 = tf.cast(tf.oneHot(tf.argMax(logits, -1) as tf.Tensor1D, classes), 'float32');
  const correct = tf.sum(tf.mul(top1, labels), -1);
  return {
    correct: tf.add(sums.correct, tf.sum(tf.mul(correct, counts))),
    loss: tf.add(sums.loss, tf.sum(tf.mul(losses, counts))),
    seen: tf.add(sums.seen, tf.sum(counts)),
  };
}

export async function classification(
  options: ClassificationOptions,
  context: EvaluatorContext,
  services: {
    readonly runtime: Runtime;
    readonly input: InputPipeline;
    readonly registry: Registry;
    readonly container: Container;
  },
): Promise<Evaluator> {
  const { runtime, registry, container } = services;
  const { data, pp_fn, loss_name, label_key, workers } = options;
  const { batch_size, predict } = context;
  const where = `evals.${context.name}`;
  const loss = registry.create(container, 'loss', loss_name, {}, `${where}.loss_name`);
  const input = await services.input.evaluate({
    data,
    pp: pp_fn,
    batch_size,
    workers,
    where: { data: `${where}.data`, pp: `${where}.pp_fn` },
  });
  const split = batchSharding(runtime.mesh);
  const toDevice = (batch: HostBatch) =>
    Object.fromEntries(Object.entries(batch).map(([name, array]) => [name, runtime.toDevice(array, split)]));

  const zero = () => tf.scalar(0);
  const start = runtime.jit((): Sums => ({ correct: zero(), loss: zero(), seen: zero() }), {
    name: `${where} start`,
  });
  const add = runtime.jit(
    (sums: Sums, params: Params, batch: Batch) => {
      const { [label_key]: labels, _mask: mask, ...rest } = batch as Record<string, tf.Tensor>;
      return accumulate(predict, loss, params, rest, { labels: labels!, mask: mask! }, sums);
    },
    { name: where, donate: [0] },
  );

  return {
    async *run(params) {
      let sums = start();
      const stream = input.batches(0);
      try {
        for (let sent = 1; ; sent++) {
          const batch = await stream.next();
          if (!batch) break;
          const onDevice = toDevice(batch);
          stream.release?.(batch);
          sums = add(sums, params, onDevice);
          tf.dispose(Object.values(onDevice));
          if (sent % maxInFlight === 0) await runtime.idle();
        }
        const read = async (tensor: tf.Tensor) => (await runtime.toHost(tensor)).data[0] as number;
        const [correct, lossSum, seen] = await Promise.all([sums.correct, sums.loss, sums.seen].map(read));
        yield ['prec@1', correct! / seen!] as const;
        yield ['loss', lossSum! / seen!] as const;
      } finally {
        tf.dispose([sums.correct, sums.loss, sums.seen]);
        await stream.close();
      }
    },
  };
}
