// Transforms without a learning rate, under their names in optax and in the original.

import { z } from 'zod';
import type { Registrar } from '../../../core/plugin';
import { identity, scale } from '../chain';
import { adadeltaOptions, scaleByAdadelta } from './adadelta';
import { adafactorOptions, factoredRmsOptions, scaleByAdafactor, scaleByFactoredRms } from './adafactor';
import { rssOptions, scaleByRss } from './adagrad';
import { adamOptions, scaleByAdam } from './adam';
import { adamaxOptions, scaleByAdamax } from './adamax';
import { adanOptions, scaleByAdan } from './adan';
import { amsgradOptions, scaleByAmsgrad } from './amsgrad';
import { beliefOptions, scaleByBelief } from './belief';
import { lionOptions, scaleByLion } from './lion';
import { ema, emaOptions, momentumOptions, trace, traceOptions } from './momentum';
import {
  blockOptions,
  normalizeByUpdateNorm,
  scaleByParamBlockNorm,
  scaleByParamBlockRms,
  scaleBySign,
  updateNormOptions,
} from './norms';
import { novogradOptions, scaleByNovograd } from './novograd';
import { optimisticOptions, scaleByOptimisticGradient } from './optimistic';
import { radamOptions, scaleByRadam } from './radam';
import { rmsOptions, scaleByRms, scaleByStddev } from './rms';
import { rpropOptions, scaleByRprop } from './rprop';
import { scaleBySm3, sm3Options } from './sm3';
import { scaleByTrustRatio, trustRatioOptions } from './trust-ratio';
import { scaleByYogi, yogiOptions } from './yogi';

export function registerTransforms(register: Registrar['register']): void {
  register('optimizer', 'scale_by_adam', {
    doc: 'Adam: m/(1-b1^t) / (sqrt(v/(1-b2^t)) + eps) of the moments m and v of gradients (arXiv:1412.6980).',
    options: adamOptions,
    create: scaleByAdam,
  });
  register('optimizer', 'scale_by_amsgrad', {
    doc: 'AMSGrad: Adam over the largest second moment so far (arXiv:1904.09237).',
    options: amsgradOptions,
    create: scaleByAmsgrad,
  });
  register('optimizer', 'scale_by_adamax', {
    doc: 'AdaMax: Adam over the largest gradient, which decays (arXiv:1412.6980).',
    options: adamaxOptions,
    create: scaleByAdamax,
  });
  register('optimizer', 'scale_by_belief', {
    doc: 'AdaBelief: Adam over how far gradients are from their mean (arXiv:2010.07468).',
    options: beliefOptions,
    create: scaleByBelief,
  });
  register('optimizer', 'scale_by_yogi', {
    doc: 'Yogi: Adam whose second moment falls slowly (NeurIPS 2018, Adaptive Methods for Nonconvex Optimization).',
    options: yogiOptions,
    create: scaleByYogi,
  });
  register('optimizer', 'scale_by_radam', {
    doc: 'Rectified Adam: momentum until the second moment can be trusted (arXiv:1908.03265).',
    options: radamOptions,
    create: scaleByRadam,
  });
  register('optimizer', 'scale_by_novograd', {
    doc: 'NovoGrad: momentum of gradients over a mean of their norms, array by array (arXiv:1905.11286).',
    options: novogradOptions,
    create: scaleByNovograd,
  });
  register('optimizer', 'scale_by_adan', {
    doc: 'Adan: Nesterov momentum by differences of gradients (arXiv:2208.06677).',
    options: adanOptions,
    create: scaleByAdan,
  });
  register('optimizer', 'big_vision.scale_by_adafactor', {
    doc: 'Adafactor with a capped decay and half-precision momentum: the memory of SGD, the results of Adam (arXiv:1804.04235, arXiv:2106.04560).',
    options: adafactorOptions,
    create: scaleByAdafactor,
  });
  register('optimizer', 'scale_by_factored_rms', {
    doc: 'Adafactor without clipping and momentum (arXiv:1804.04235).',
    options: factoredRmsOptions,
    create: scaleByFactoredRms,
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
  register('optimizer', 'scale_by_stddev', {
    doc: 'Centred RMSProp: gradients over their standard deviation (arXiv:1308.0850).',
    options: rmsOptions,
    create: scaleByStddev,
  });
  register('optimizer', 'scale_by_rss', {
    doc: 'AdaGrad: gradients over the root of the sum of their squares (JMLR 2011).',
    options: rssOptions,
    create: scaleByRss,
  });
  register('optimizer', 'scale_by_adadelta', {
    doc: 'AdaDelta: gradients with the size of the updates before (arXiv:1212.5701).',
    options: adadeltaOptions,
    create: scaleByAdadelta,
  });
  register('optimizer', 'scale_by_sm3', {
    doc: 'SM3: AdaGrad with sums for rows and columns only, and momentum (arXiv:1901.11150).',
    options: sm3Options,
    create: scaleBySm3,
  });
  register('optimizer', 'scale_by_rprop', {
    doc: 'Rprop: the sign of gradients times a step that grows while the sign stays (Riedmiller and Braun 1993).',
    options: rpropOptions,
    create: scaleByRprop,
  });
  register('optimizer', 'scale_by_sign', {
    doc: 'The sign of gradients (arXiv:1802.04434).',
    options: z.strictObject({}),
    create: scaleBySign,
  });
  register('optimizer', 'scale_by_optimistic_gradient', {
    doc: 'Optimistic gradients: gradients and what they changed by since the last step (arXiv:1711.00141).',
    options: optimisticOptions,
    create: scaleByOptimisticGradient,
  });
  register('optimizer', 'big_vision.momentum_hp', {
    doc: 'Momentum with a half-precision accumulator: m = g + momentum m.',
    options: momentumOptions,
    create: ({ momentum, nesterov, dtype }) => trace({ decay: momentum, nesterov, accumulator_dtype: dtype }),
  });
  register('optimizer', 'trace', {
    doc: 'Momentum: m = g + decay m.',
    options: traceOptions,
    positional: ['decay'],
    create: trace,
  });
  register('optimizer', 'ema', {
    doc: 'The mean of gradients: m = decay m + (1-decay) g.',
    options: emaOptions,
    positional: ['decay'],
    create: ema,
  });
  register('optimizer', 'scale_by_trust_ratio', {
    doc: 'Gradients with the norm of their parameters, array by array, as in LARS and LAMB.',
    options: trustRatioOptions,
    create: scaleByTrustRatio,
  });
  register('optimizer', 'scale_by_param_block_norm', {
    doc: 'Gradients times the norm of their parameters, array by array.',
    options: blockOptions,
    create: scaleByParamBlockNorm,
  });
  register('optimizer', 'scale_by_param_block_rms', {
    doc: 'Gradients times the root mean square of their parameters, array by array.',
    options: blockOptions,
    create: scaleByParamBlockRms,
  });
  register('optimizer', 'normalize_by_update_norm', {
    doc: 'Gradients over the norm of them all.',
    options: updateNormOptions,
    create: normalizeByUpdateNorm,
  });
  register('optimizer', 'scale', {
    doc: 'Gradients times a number.',
    options: z.strictObject({ step_size: z.number().describe('the factor') }),
    create: ({ step_size }) => scale(step_size),
  });
  for (const name of ['identity', 'big_vision.sgd']) {
    register('optimizer', name, {
      doc: 'Plain gradient descent: gradients as they are.',
      options: z.strictObject({}),
      create: () => identity,
    });
  }
}
