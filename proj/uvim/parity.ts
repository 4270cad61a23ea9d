// Runs recorded cases of UViM: losses of its models' gradients, drawing of sequences, and the tasks.

import type { ParityRunner } from '../../core/parity/case';
import { arraysBeside, arraysUnder, caseParams, fetchAll, modelRunner, sendAll } from '../../core/parity';
import { parseOptions } from '../../core/options';
import { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import type { Params } from '../../core/extensions';
import { leaves, type Tree } from '../../core/tree';
import { weightedSoftmaxXent } from '../../plugins/losses';
import { sample, type SamplingOptions } from '../../plugins/decoder';
import { type Layout, makeTask, type TaskOptions } from './losses';
import { labelsIn, type UvimVit } from './vit';
import { type Vtt, vtt, vttOptions } from './vtt';

type Parts = Readonly<Record<string, tf.Tensor>>;

export const uvimRunners: Readonly<Record<string, ParityRunner>> = {
  'model proj/uvim/vit': modelRunner({
    methods: {
      encode: (model, scope, { ctx, ...batch }, call) => {
        const { x, out } = (model as UvimVit).encode(scope, labelsIn(batch), { ...call, ctx });
        return { output: x, out };
      },
      decode: (model, scope, { x, ctx }, call) => {
        const logits = (model as UvimVit).decode(scope, x!, { ...call, ctx });
        return { output: logits, out: { logits } };
      },
    },
    losses: {
      uvim: ({ output, out }) => {
        const { bottleneck, bottleneck_q } = out as Record<string, tf.Tensor>;
        const commitment = tf.squaredDifference(
          bottleneck as tf.Tensor,
          tf.stopGradient(bottleneck_q as tf.Tensor),
        );
        const squares = leaves<tf.Tensor>(output as Tree<tf.Tensor>).map((y) => tf.mean(tf.square(y)));
        return tf.addN([...squares, tf.mean(commitment)]);
      },
    },
  }),

  'model proj/uvim/vtt': modelRunner({
    methods: {
      encode: (model, scope, { image }, { train }) => ({
        output: (model as Vtt).encode(scope, image!, train),
        out: {},
      }),
      decode: (model, scope, { encoded, targets }, { train }) => ({
        output: (model as Vtt).decode(scope, encoded!, targets!, train),
        out: {},
      }),
    },
    losses: {
      vtt: ({ output }, { text }) =>
        weightedSoftmaxXent({ label_smoothing: 0, normalize: true })({
          logits: output as tf.Tensor,
          labels: text as tf.Tensor,
        }),
    },
  }),

  'model proj/uvim/decode:temperature_sampling': async (recorded, services) => {
    const { runtime } = services;
    const { args, inputs } = recorded;
    const { encode, stepwise } = vtt(parseOptions(vttOptions, args.model, 'args.model'));
    const { image, prompts } = sendAll(runtime, Object.fromEntries(arraysBeside(inputs, 'params'))) as Parts;
    const params = caseParams(recorded, services);
    const drawn = new Map();
    for (const [name, draw] of Object.entries(
      args.draws as Record<string, SamplingOptions & { seed: number }>,
    )) {
      const { seed, ...options } = draw;
      const run = (params: Params, image: tf.Tensor, prompts: tf.Tensor, key: tf.Tensor) => {
        const scope = Scope.reading(params);
        const decoder = stepwise(scope, encode(scope, image), prompts.shape[1] as number);
        return { ...sample(decoder, name === 'prompt' ? prompts : tf.zerosLike(prompts), key, options) };
      };
      const key = runtime.toDevice(tf.random.keyArray(tf.random.key(seed)));
      const result = runtime.jit(run, { name: `sample ${name}` })(
        params,
        image as tf.Tensor,
        prompts as tf.Tensor,
        key,
      );
      for (const [part, array] of await fetchAll(runtime, result)) drawn.set(`${name}/${part}`, array);
    }
    return drawn;
  },

  'model proj/uvim/task': async ({ args, inputs }, { runtime }) => {
    const { model, min_fraction, ...options } = args;
    const task = makeTask(options as unknown as TaskOptions, model as Layout);
    const run = (labels: tf.Tensor, logits: Parts) => {
      const x = task.inputs(labels);
      const losses = task.losses(logits, x);
      const prediction = task.predict(logits, { min_fraction: min_fraction as number | undefined });
      const loss = Object.values(losses).reduce((sum, one) => tf.add(sum, one));
      return {
        loss,
        ...losses,
        x,
        prediction: prediction instanceof tf.Tensor ? { panoptic: prediction } : prediction,
      };
    };
    const { labels } = sendAll(runtime, Object.fromEntries(arraysBeside(inputs, 'logits'))) as Parts;
    const logits = sendAll(runtime, arraysUnder(inputs, 'logits')) as Parts;
    return fetchAll(runtime, runtime.jit(run, { name: 'task' })(labels as tf.Tensor, logits));
  },
};
