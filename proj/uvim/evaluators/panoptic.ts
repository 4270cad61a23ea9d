// Panoptic quality of a model's masks, at the resolution of the ground truth.

import { z } from 'zod';
import type { DataSource, Evaluator, EvaluatorContext } from '../../../core/extensions';
import { forEachExample, onlyOutput, passOptions, type PassServices } from '../../../plugins/evaluators';
import { categoriesOption, type Category, readCategories } from './categories';
import { predictedPanorama, truePanorama } from './panoramas';
import { quality, type Tally, tally } from './pq';

export const panopticSchema = z.strictObject({ ...passOptions, categories: categoriesOption });
export type PanopticOptions = z.output<typeof panopticSchema>;

export interface PanopticServices extends PassServices {
  readonly root: string;
  /** Opens a data source a second time: the ground truth has sizes of its own, and goes past preprocessing. */
  readonly open: (data: PanopticOptions['data'], where: string) => DataSource | Promise<DataSource>;
}

/**
 * "All_pq", "All_rq", "All_sq", and the same of "Stuff" and "Things": means over the categories that occur. The predict
 * function gives int32 [batch, height, width, 2]: the class, 0 for nothing, and the instance.
 */
export async function panoptic(
  options: PanopticOptions,
  context: EvaluatorContext,
  services: PanopticServices,
): Promise<Evaluator> {
  const categories = readCategories(options.categories, services.root);
  const pass = await forEachExample(options, context, services, (params, batch) => ({
    mask: onlyOutput(context.name, context.predict(params, batch)),
  }));
  const source = await services.open(options.data, `evals.${context.name}.data`);
  return {
    async *run(params) {
      let counts: Tally = new Map();
      await pass(params, async ({ mask }, index) => {
        const truth = truePanorama(await source.get(index), categories);
        const guess = predictedPanorama(mask, categories, truth.size);
        counts = tally(counts, truth, guess);
      });
      yield* qualities(counts, categories);
    },
  };
}

/** "All_pq" and the like, of the groups that have categories. */
export function* qualities(counts: Tally, categories: readonly Category[]) {
  const groups = {
    All: categories,
    Stuff: categories.filter(({ isthing }) => !isthing),
    Things: categories.filter(({ isthing }) => isthing),
  };
  for (const [group, members] of Object.entries(groups)) {
    if (members.length === 0) continue;
    const { pq, rq, sq } = quality(counts, members.map(({ id }) => id)); // prettier-ignore
    for (const [metric, value] of Object.entries({ pq, rq, sq }))
      yield [`${group}_${metric}`, value] as const;
  }
}
