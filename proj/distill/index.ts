// Distillation with a patient and consistent teacher (README.md).

import { definePlugin, forward, type LossFn, type ModelResult, type PredictFn, Stage, z } from '../../core';
import { type FrozenConfig, frozenModel, frozenSchema } from '../../core/train/frozen';
import { registerParity } from '../../core/parity/register';
import * as tf from '../../core/tensor';
import { distance, softmaxXent } from '../../plugins/losses';
import { registerDistance } from './evaluator';
import { distanceOptions, trainable } from './options';
import { distillRunners } from './parity';
import { predictFns, viewOf } from './predict';

const xent = softmaxXent({ kl: false, axis: -1 });

/** What is logged of a model's logits [batch, classes]: their entropy in nats, and the cross-entropy with labels. */
const describe = (name: string, logits: tf.Tensor, labels?: tf.Tensor) => ({
  [`entropy_${name}`]: tf.neg(tf.mean(tf.sum(tf.mul(tf.logSoftmax(logits), tf.softmax(logits)), -1))),
  ...(labels && { [`task_loss_${name}`]: xent({ logits, labels }) }),
});

/**
 * Function matching (Beyer et al., arXiv:2106.05237): the student of `model_name` learns what the teachers give for the very
 * same pixels, and no labels. Teachers are loaded in the hook `setup`, the loss is replaced in the hook `loss`.
 */
export default definePlugin({
  name: 'distill',
  version: '0.1.0',
  core: '^0.1.0',
  needs: { evaluators: '^0.1.0', losses: '^0.1.0' },
  doc: 'Distillation of teachers into the model (arXiv:2106.05237).',
  options: z.strictObject({
    teachers: z
      .record(z.string(), frozenSchema)
      .refine((teachers) => Object.keys(teachers).length > 0, { error: 'expected at least one teacher' })
      .describe('models by name; each sees batch[NAME] in the place of the image, if it is there'),
    distance: z.enum(trainable).default('kl').describe('of the logits, summed over teachers'),
    distance_kw: distanceOptions.omit({ kind: true }).default({}),
  }),

  register(registrar) {
    registerDistance(registrar);
    registerParity(registrar.register, distillRunners);
  },

  apply(hooks, { teachers: configs, distance: kind, distance_kw }) {
    const teachers: Record<string, (batch: Parameters<PredictFn>[1]) => ModelResult> = {};
    hooks.setup.tapPromise('distill', async (run) => {
      for (const [i, [name, config]] of Object.entries<FrozenConfig>(configs).entries()) {
        const where = `distill.teachers.${name}`;
        // The original splits the seed's key for the loop, the student and each teacher.
        const key = tf.random.split(tf.random.key(run.config.seed), i + 3).at(-1) as tf.random.HostKey;
        const batchSpec = viewOf(run.batchSpec, name);
        const forward = await frozenModel(run, config, { name, where, batchSpec, key });
        teachers[name] = (batch) => forward(viewOf(batch, name));
      }
    });
    hooks.model.tap('distill', (model) => ({
      ...model,
      apply: (scope, batch, call) => model.apply(scope, viewOf(batch, 'student'), call),
    }));
    hooks.loss.tap('distill', (_, { model }): LossFn => (params, batch, context) => {
      const { output, extra } = forward(model, params, batch, context);
      const student = output as tf.Tensor;
      const metrics: Record<string, tf.Tensor> = describe('student', student, batch.labels);
      const losses = Object.entries(teachers).map(([name, teacher]) => {
        const logits = teacher(batch).output as tf.Tensor;
        const loss = tf.mean(distance(student, logits, { kind, ...distance_kw }));
        Object.assign(metrics, describe(name, logits, batch.labels), { [`distill_loss_${name}`]: loss });
        return loss;
      });
      const loss = tf.addN(losses);
      return { loss, metrics: { ...metrics, distill_loss: loss }, extra };
    });
    hooks.predict.tap({ name: 'distill', stage: Stage.late }, (fns) => ({
      ...fns,
      ...predictFns(fns, teachers),
    }));
  },
});
