// How far the student is from a teacher on a data set.

import {
  type Batch,
  catalogue,
  type Evaluator,
  type EvaluatorContext,
  type Params,
  type Registrar,
  subtree,
  tokens,
  type Tree,
  z,
} from '../../core';
import * as tf from '../../core/tensor';
import { collectRows, openPass, passOptions, type PassServices } from '../../plugins/evaluators';
import { distance } from '../../plugins/losses';
import { distanceOptions } from './options';

const schema = z.strictObject({
  ...passOptions,
  distances: z.array(distanceOptions).min(1).describe('each is a metric, named like kind=kl_t=2'),
  what: z
    .tuple([z.string(), z.string()])
    .default(['logits', 'logits'])
    .describe('names of the intermediates of student and teacher that are compared'),
});

const errors = catalogue('distill', {
  notPair: (v: { evaluator: string }) => ({
    what: `evals.${v.evaluator} compares a student and a teacher, but its predict function gives one model's results.`,
    fix: 'name a pair with pred, such as pred="student_TEACHER_fwd".',
  }),
  noRepresentation: (v: { evaluator: string; model: string; name: string }) => ({
    what: `evals.${v.evaluator}: the ${v.model} gives no "${v.name}".`,
    fix: 'name one of its intermediates with what: [STUDENT, TEACHER].',
  }),
});

/** Registers `proj.distill.distance`: per distance the metrics `avg`, `min` and `max` over examples. */
export function registerDistance({ register }: Registrar): void {
  register('evaluator', 'proj.distill.distance', {
    doc: 'Distances between what a student and a teacher give for the same examples: mean, least and greatest.',
    options: schema,
    inject: [tokens.runtime, tokens.input],
    create: (options, runtime, pipeline) => (context) => evaluator(options, context, { runtime, pipeline }),
  });
}

async function evaluator(
  { distances, what, ...pass }: z.output<typeof schema>,
  context: EvaluatorContext,
  services: PassServices,
): Promise<Evaluator> {
  const { name, predict } = context;
  const { runtime } = services;
  const input = await openPass(pass, context, services);
  const metrics = distances.map((options) =>
    Object.entries(options)
      .map((entry) => entry.join('='))
      .join('_'),
  );

  /** [batch, ...] to [batch, features]. */
  const vectors = (out: Tree<tf.Tensor>, i: 0 | 1) => {
    const found = subtree(out, what[i]);
    if (!(found instanceof tf.Tensor))
      throw errors.noRepresentation({
        evaluator: name,
        model: i === 0 ? 'student' : 'teacher',
        name: what[i],
      });
    return tf.reshape(found, [found.shape[0] as number, -1]);
  };
  const measure = runtime.jit(
    (params: Params, batch: Batch) => {
      const { out } = predict(params, batch);
      if (!Array.isArray(out)) throw errors.notPair({ evaluator: name });
      const [student, teacher] = [vectors(out[0], 0), vectors(out[1], 1)];
      const measured = distances.map(
        (options, i) => [metrics[i]!, distance(student, teacher, options)] as const,
      );
      return Object.fromEntries(measured);
    },
    { name: `evals.${name}` },
  );

  return {
    async *run(params) {
      const measured = await collectRows(runtime, input, (batch) => measure(params, batch));
      for (const metric of metrics) {
        const values = Array.from(measured[metric]?.data ?? [], Number);
        yield [`${metric}/avg`, values.reduce((sum, value) => sum + value, 0) / values.length];
        yield [`${metric}/min`, values.reduce((a, b) => Math.min(a, b), Infinity)];
        yield [`${metric}/max`, values.reduce((a, b) => Math.max(a, b), -Infinity)];
      }
    },
  };
}
