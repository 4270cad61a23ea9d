// Runs recorded cases of the evaluator of distances: the representations are in the batch.

import { type EvaluatorContext, hostArray, type HostArray, type PredictFn } from '../../core';
import type { ParityRunner } from '../../core/parity/case';
import { countedRows, rowsOf } from '../../plugins/evaluators';

export const distillRunners: Readonly<Record<string, ParityRunner>> = {
  'evaluator proj/distill/distance': async ({ args, inputs }, { registry, container, serve }) => {
    const { distances, batch_size } = args as { distances: object[]; batch_size: number };
    const { _mask, ...features } = Object.fromEntries(inputs);
    // The pipeline masks padding alone: what the case masks becomes padding.
    const kept = countedRows(_mask as HostArray);
    const data = serve(new Map(Object.entries(features).map(([name, array]) => [name, rowsOf(array, kept)])));
    const predict: PredictFn = (_, { student, teacher }) => ({
      output: [student, teacher],
      out: [{ logits: student }, { logits: teacher }],
    });
    const create = registry.create(
      container,
      'evaluator',
      'proj.distill.distance',
      { data, distances },
      'args',
    );
    const context: EvaluatorContext = { name: 'parity', predict, predictFns: {}, batch_size };
    const found = new Map<string, HostArray>();
    for await (const [name, value] of (await create(context)).run({}, 0))
      found.set(name, hostArray('float32', [], [value]));
    return found;
  },
};
