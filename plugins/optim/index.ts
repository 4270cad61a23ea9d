// Optimizers (the names are the values of a config's `optax_name`) and the rule that turns gradients into updates.

import { z } from 'zod';
import type { GradientTransform } from '../../core/extensions';
import { registerParity } from '../../core/parity/register';
import { definePlugin } from '../../core/plugin';
import * as tf from '../../core/tensor';
import { tokens } from '../../core/train/run';
import { mapNamed } from '../../core/tree';
import { adafactorOptions, scaleByAdafactor } from './adafactor';
import { adamOptions, scaleByAdam } from './adam';
import { lamb, lambOptions, scaleByTrustRatio, trustRatioOptions } from './lamb';
import { lionOptions, scaleByLion } from './lion';
import { momentumHp, momentumOptions, traceOptions } from './momentum';
import { optimRunners } from './parity';
import { rmsOptions, scaleByRms } from './rms';
import { updateRuleFactory } from './update-rule';

export { clipByGlobalNorm, clipByPerExampleGlobalNorm } from './clip';
export { matches } from './assign';

const identity: GradientTransform = { init: () => ({}), update: (updates) => ({ updates, state: {} }) };

export default definePlugin({
  name: 'optim',
  version: '0.1.0',
  core: '^0.1.0',
  needs: { schedules: '^0.1.0' },
  doc: 'Optimizers (Adam, Adafactor, momentum, SGD) and the update rule: clipping, rates, decay, schedules, freezing.',

  register({ register, container }) {
    register('optimizer', 'scale_by_adam', {
      doc: 'Adam: m/(1-b1^t) / (sqrt(v/(1-b2^t)) + eps) of the moments m and v of gradients (arXiv:1412.6980).',
      options: adamOptions,
      create: scaleByAdam,
    });
    register('optimizer', 'big_vision.scale_by_adafactor', {
      doc: 'Adafactor with a capped decay and half-precision momentum: the memory of SGD, the results of Adam (arXiv:1804.04235, arXiv:2106.04560).',
      options: adafactorOptions,
      create: scaleByAdafactor,
    });
    register('optimizer', 'scale_by_lion', {
      doc: 'Lion: the sign of a momentum (arXiv:2302.06675).',
      options: lionOptions,
      create: scaleByLion,
    });
    register('optimizer', 'scale_by_rms', {
      doc: 'RMSProp: gradients over the root of their mean square.',
      options: rmsOptions,
      create: scaleByRms,
    });
    register('optimizer', 'big_vision.momentum_hp', {
      doc: 'Momentum with a half-precision accumulator: m = g + momentum m.',
      options: momentumOptions,
      create: momentumHp,
    });
    register('optimizer', 'trace', {
      doc: 'Momentum: m = g + decay m.',
      options: traceOptions,
      positional: ['decay'],
      create: ({ decay, nesterov, accumulator_dtype }) =>
        momentumHp({ momentum: decay, nesterov, dtype: accumulator_dtype ?? null }),
    });
    register('optimizer', 'scale_by_trust_ratio', {
      doc: 'Gradients with the norm of their parameters, array by array, as in LARS and LAMB.',
      options: trustRatioOptions,
      create: scaleByTrustRatio,
    });
    register('optimizer', 'lamb', {
      doc: 'LAMB: Adam with a rate for each array by its norm, for large batches (arXiv:1904.00962).',
      options: lambOptions,
      create: lamb,
    });
    register('optimizer', 'scale', {
      doc: 'Gradients times a number.',
      options: z.strictObject({ step_size: z.number().describe('the factor') }),
      create: ({ step_size }) => ({
        init: () => ({}),
        update: (updates) => ({
          updates: mapNamed<tf.Tensor, tf.Tensor>(updates, (_, update) => tf.mul(update, step_size)),
          state: {},
        }),
      }),
    });
    for (const name of ['identity', 'big_vision.sgd']) {
      register('optimizer', name, {
        doc: 'Plain gradient descent: gradients as they are.',
        options: z.strictObject({}),
        create: () => identity,
      });
    }
    registerParity(register, optimRunners);
    container.provideLazily(tokens.updateRule, [tokens.registry], (registry) =>
      updateRuleFactory(registry, container),
    );
  },
});
