// Averaged parameters (Polyak, Ruppert): a second copy of the parameters in the train state, updated in the step.

import { z } from 'zod';
import { duration } from '../../core/config/schema';
import { definePlugin } from '../../core/plugin';
import { Stage } from '../../core/hooks';
import type * as tf from '../../core/tensor';
import { stepsOf } from '../../core/train/steps';
import { namedLeaves, nest, type NestedRecord } from '../../core/tree';
import { averageWeight, moveTowards } from './average';

export { averageWeight, moveTowards } from './average';

const place = 'average';

/**
 * The average of the parameters over the steps (Polyak & Juditsky, SIAM J. Control Optim. 30(4), 1992), for evaluators with
 * `params: 'average'`. It costs one more copy of the trained parameters, sharded as `extra/average/...` by the config's
 * `sharding_strategy`, and no transfer: the compiled step updates it in place. Frozen parameters aren't copied.
 */
export default definePlugin({
  name: 'average',
  version: '0.1.0',
  core: '^0.1.0',
  doc: "Keeps an average of the parameters for evaluators: average={decay: 0.9999}, evals.NAME.params='average'.",
  options: z.strictObject({
    decay: z
      .number()
      .min(0)
      .max(1)
      .default(0.9999)
      .describe(
        'of old values a step, once 1 / (1 - decay) steps are averaged; 1 is the plain mean of all steps',
      ),
    ...duration('start', 'how long the average just follows the parameters; default: not at all'),
  }),
  apply(hooks, { decay, ...durations }) {
    hooks.state.tap('average', (extraFn, { update }) => (params) => {
      const trained = namedLeaves<tf.Tensor>(params).filter(([name]) => !update.frozen(name));
      return { ...extraFn(params), [place]: nest(trained) };
    });

    hooks.program.tap({ name: 'average', stage: Stage.late }, (step, { length }) => {
      const start = stepsOf('start', durations, length, 0);
      return (before, batch, context) => {
        const { state, metrics } = step(before, batch, context);
        const weight = averageWeight(state.step, start, decay);
        const average = moveTowards(before.extra[place] as NestedRecord<tf.Tensor>, state.params, weight);
        return { state: { ...state, extra: { ...state.extra, [place]: average } }, metrics };
      };
    });

    hooks.params.tap('average', (places) => ({ ...places, average: `extra/${place}` }));
  },
});
