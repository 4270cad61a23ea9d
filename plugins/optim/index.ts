// Optimizers (the names are the values of a config's `optax_name`) and the rule that turns gradients into updates.

import { registerParity } from '../../core/parity/register';
import { definePlugin } from '../../core/plugin';
import { tokens } from '../../core/train/run';
import { registerAliases } from './aliases';
import { optimRunners } from './parity';
import { registerTransforms } from './transforms';
import { updateRuleFactory } from './update-rule';

export { clipByGlobalNorm, clipByPerExampleGlobalNorm } from './clip';
export { matches } from './assign';

export default definePlugin({
  name: 'optim',
  version: '0.1.0',
  core: '^0.1.0',
  needs: { schedules: '^0.1.0' },
  doc: 'Optimizers (those of optax and of the original) and the update rule: clipping, rates, decay, schedules, freezing.',

  register({ register, container }) {
    registerTransforms(register);
    registerAliases(register);
    registerParity(register, optimRunners);
    container.provideLazily(tokens.updateRule, [tokens.registry], (registry) =>
      updateRuleFactory(registry, container),
    );
  },
});
