// Optimizers that optax puts together from transforms, most of them with a last one that multiplies by -learning_rate.

import { z } from 'zod';
import type { GradientTransform } from '../../core/extensions';
import type { Registrar } from '../../core/plugin';
import {
  addDecayedWeights,
  chain,
  identity,
  learningRate,
  scale,
  scaleByLearningRate,
  weightDecay,
} from './chain';
import { stateless } from './leafwise';
import { adadeltaOptions, scaleByAdadelta } from './transforms/adadelta';
import { adafactorOptions, clipByRms, factoredRmsOptions, scaleByFactoredRms } from './transforms/adafactor';
import { rssOptions, scaleByRss } from './transforms/adagrad';
import { adamOptions, scaleByAdam } from './transforms/adam';
import { adamaxOptions, scaleByAdamax } from './transforms/adamax';
import { adanOptions, scaleByAdan } from './transforms/adan';
import { amsgradOptions, scaleByAmsgrad } from './transforms/amsgrad';
import { beliefOptions, scaleByBelief } from './transforms/belief';
import { lionOptions, scaleByLion } from './transforms/lion';
import { ema, trace, traceOptions } from './transforms/momentum';
import { blockOptions, scaleByParamBlockRms, scaleBySign } from './transforms/norms';
import { novogradOptions, scaleByNovograd } from './transforms/novograd';
import { optimisticOptions, scaleByOptimisticGradient } from './transforms/optimistic';
import { radamOptions, scaleByRadam } from './transforms/radam';
import { rmsOptions, scaleByRms, scaleByStddev } from './transforms/rms';
import { rpropOptions, scaleByRprop } from './transforms/rprop';
import { scaleBySm3, sm3Options } from './transforms/sm3';
import { scaleByTrustRatio, trustRatioOptions } from './transforms/trust-ratio';
import { scaleByYogi, yogiOptions } from './transforms/yogi';

const rate = { learning_rate: learningRate };
const nesterov = adamOptions.shape.nesterov.default(true);
const momentum = traceOptions.shape.decay.nullish().describe('decay of the sum of updates; null for none');
const weightDecayBefore = z.number().default(0).describe('of all parameters, added to their gradients');

export function registerAliases(register: Registrar['register']): void {
  for (const [name, doc, options] of [
    ['adam', 'Adam, and its rate (arXiv:1412.6980).', adamOptions.extend(rate)],
    ['nadam', 'Adam with Nesterov momentum, and its rate.', adamOptions.extend({ ...rate, nesterov })],
  ] as const) {
    register('optimizer', name, {
      doc,
      options,
      create: ({ learning_rate, ...adam }) => chain(scaleByAdam(adam), scaleByLearningRate(learning_rate)),
    });
  }
  const decayed = { ...rate, weight_decay: weightDecay.default(1e-4) };
  for (const [name, doc, options] of [
    ['adamw', 'Adam with decay of weights (arXiv:1711.05101).', adamOptions.extend(decayed)],
    ['nadamw', 'AdamW with Nesterov momentum.', adamOptions.extend({ ...decayed, nesterov })],
  ] as const) {
    register('optimizer', name, {
      doc,
      options,
      create: ({ learning_rate, weight_decay, ...adam }) =>
        chain(scaleByAdam(adam), addDecayedWeights(weight_decay), scaleByLearningRate(learning_rate)),
    });
  }
  register('optimizer', 'amsgrad', {
    doc: 'AMSGrad: Adam over the largest second moment so far, and its rate (arXiv:1904.09237).',
    options: amsgradOptions.extend(rate),
    create: ({ learning_rate, ...amsgrad }) =>
      chain(scaleByAmsgrad(amsgrad), scaleByLearningRate(learning_rate)),
  });
  register('optimizer', 'adamax', {
    doc: 'AdaMax: Adam over the largest gradient, which decays, and its rate (arXiv:1412.6980).',
    options: adamaxOptions.extend(rate),
    create: ({ learning_rate, ...adamax }) =>
      chain(scaleByAdamax(adamax), scaleByLearningRate(learning_rate)),
  });
  register('optimizer', 'adamaxw', {
    doc: 'AdaMax with decay of weights (arXiv:1412.6980, arXiv:1711.05101).',
    options: adamaxOptions.extend(decayed),
    create: ({ learning_rate, weight_decay, ...adamax }) =>
      chain(scaleByAdamax(adamax), addDecayedWeights(weight_decay), scaleByLearningRate(learning_rate)),
  });
  register('optimizer', 'adabelief', {
    doc: 'AdaBelief: Adam over how far gradients are from their mean, and its rate (arXiv:2010.07468).',
    options: beliefOptions.extend(rate),
    create: ({ learning_rate, ...belief }) =>
      chain(scaleByBelief(belief), scaleByLearningRate(learning_rate)),
  });
  register('optimizer', 'yogi', {
    doc: 'Yogi: Adam whose second moment falls slowly, and its rate (NeurIPS 2018, Adaptive Methods for Nonconvex Optimization).',
    options: yogiOptions.pick({ b1: true, b2: true, eps: true }).extend(rate),
    create: ({ learning_rate, ...yogi }) =>
      chain(scaleByYogi({ ...yogiOptions.parse({}), ...yogi }), scaleByLearningRate(learning_rate)),
  });
  register('optimizer', 'radam', {
    doc: 'Rectified Adam: momentum until the second moment can be trusted, and its rate (arXiv:1908.03265).',
    options: radamOptions.extend(rate),
    create: ({ learning_rate, ...radam }) => chain(scaleByRadam(radam), scaleByLearningRate(learning_rate)),
  });
  register('optimizer', 'novograd', {
    doc: 'NovoGrad: momentum of gradients over a mean of their norms, array by array, and its rate (arXiv:1905.11286).',
    options: novogradOptions
      .omit({ mu_dtype: true })
      .extend({ ...rate, eps: novogradOptions.shape.eps.default(1e-6) }),
    create: ({ learning_rate, ...novograd }) =>
      chain(scaleByNovograd(novograd), scaleByLearningRate(learning_rate)),
  });
  register('optimizer', 'adan', {
    doc: 'Adan: Nesterov momentum by differences of gradients, with decay of weights (arXiv:2208.06677).',
    options: adanOptions.extend({
      ...rate,
      eps_root: adanOptions.shape.eps_root.default(1e-8),
      weight_decay: weightDecay.default(0),
    }),
    create: ({ learning_rate, weight_decay, ...adan }) =>
      chain(scaleByAdan(adan), addDecayedWeights(weight_decay), scaleByLearningRate(learning_rate)),
  });
  register('optimizer', 'optimistic_adam', {
    doc: 'Optimistic Adam: Adam, and what its update changed by since the last step (arXiv:1711.00141).',
    options: adamOptions.extend({
      ...rate,
      nesterov,
      optimism: z.number().nullish().describe('factor of that change; default: learning_rate'),
    }),
    create: ({ learning_rate, optimism, ...adam }) =>
      chain(
        scaleByAdam(adam),
        scaleByOptimisticGradient({ alpha: learning_rate, beta: optimism ?? learning_rate }),
        scaleByLearningRate(1),
      ),
  });
  register('optimizer', 'optimistic_gradient_descent', {
    doc: 'Gradients and what they changed by since the last step, and their rate (arXiv:1711.00141).',
    options: optimisticOptions.extend(rate),
    create: ({ learning_rate, ...optimistic }) =>
      chain(scaleByOptimisticGradient(optimistic), scaleByLearningRate(learning_rate)),
  });
  register('optimizer', 'lion', {
    doc: 'Lion: the sign of a momentum, with decay of weights (arXiv:2302.06675).',
    options: lionOptions.extend({ ...rate, weight_decay: weightDecay.default(1e-3) }),
    create: ({ learning_rate, weight_decay, ...lion }) =>
      chain(scaleByLion(lion), addDecayedWeights(weight_decay), scaleByLearningRate(learning_rate)),
  });
  register('optimizer', 'sgd', {
    doc: 'Gradient descent, or momentum m = g + momentum m, and its rate.',
    options: traceOptions.omit({ decay: true }).extend({ ...rate, momentum }),
    create: ({ learning_rate, momentum, ...options }) =>
      chain(withMomentum(momentum, options), scaleByLearningRate(learning_rate)),
  });
  register('optimizer', 'sign_sgd', {
    doc: 'The sign of gradients, and its rate (arXiv:1802.04434).',
    options: z.strictObject(rate),
    create: ({ learning_rate }) => chain(scaleBySign(), scaleByLearningRate(learning_rate)),
  });
  register('optimizer', 'rmsprop', {
    doc: 'RMSProp: gradients over the root of their mean square or, centred, over their standard deviation; a rate, and momentum (arXiv:1308.0850).',
    options: rmsOptions.extend({
      ...rate,
      centered: z.boolean().default(false).describe('over the standard deviation'),
      momentum,
      nesterov: traceOptions.shape.nesterov,
    }),
    create: ({ learning_rate, centered, momentum, nesterov, ...rms }) =>
      chain(
        (centered ? scaleByStddev : scaleByRms)(rms),
        scaleByLearningRate(learning_rate),
        withMomentum(momentum, { nesterov }),
      ),
  });
  register('optimizer', 'adagrad', {
    doc: 'AdaGrad: gradients over the root of the sum of their squares, and its rate (JMLR 2011).',
    options: rssOptions.extend(rate),
    create: ({ learning_rate, ...rss }) => chain(scaleByRss(rss), scaleByLearningRate(learning_rate)),
  });
  register('optimizer', 'adadelta', {
    doc: 'AdaDelta: gradients with the size of the updates before, and their rate (arXiv:1212.5701).',
    options: adadeltaOptions.extend({ ...rate, weight_decay: weightDecayBefore }),
    create: ({ learning_rate, weight_decay, ...adadelta }) =>
      chain(addDecayedWeights(weight_decay), scaleByAdadelta(adadelta), scaleByLearningRate(learning_rate)),
  });
  register('optimizer', 'rprop', {
    doc: 'Rprop: the sign of gradients times a step that grows while the sign stays (Riedmiller and Braun 1993). Its update has its sign, so the trainer needs a negative lr.',
    options: rpropOptions,
    create: (options) => chain(scaleByRprop(options), scale(-1)),
  });
  register('optimizer', 'sm3', {
    doc: 'SM3: AdaGrad with sums for rows and columns only, momentum, and a rate (arXiv:1901.11150).',
    options: z.strictObject({ ...rate, momentum: sm3Options.shape.b1 }),
    create: ({ learning_rate, momentum }) =>
      chain(scaleBySm3({ ...sm3Options.parse({}), b1: momentum }), scaleByLearningRate(learning_rate)),
  });
  register('optimizer', 'adafactor', {
    doc: 'Adafactor as optax has it: updates by the size of parameters, clipped, without momentum (arXiv:1804.04235). The original trains with big_vision.scale_by_adafactor.',
    options: factoredRmsOptions
      .pick({ factored: true, min_dim_size_to_factor: true, decay_rate: true })
      .extend({
        decay_offset: factoredRmsOptions.shape.step_offset,
        eps: factoredRmsOptions.shape.epsilon,
        learning_rate: learningRate.nullish().describe('as in the other aliases of optax; null for 1'),
        multiply_by_parameter_scale: z
          .boolean()
          .default(true)
          .describe('times the root mean square of the parameter'),
        clipping_threshold: adafactorOptions.shape.clipping_threshold.default(1),
        momentum: z.number().nullish().describe('decay of the mean of updates; null for none'),
        dtype_momentum: adafactorOptions.shape.dtype_momentum.default('float32'),
        weight_decay_rate: z.number().nullish().describe('of all parameters, added to their updates'),
      }),
    create: ({ learning_rate, multiply_by_parameter_scale, clipping_threshold, ...options }) =>
      chain(
        scaleByFactoredRms({ ...options, step_offset: options.decay_offset, epsilon: options.eps }),
        clipping_threshold ? stateless((update) => clipByRms(update, clipping_threshold)) : identity,
        scale(learning_rate ?? 1),
        multiply_by_parameter_scale ? scaleByParamBlockRms(blockOptions.parse({})) : identity,
        options.momentum
          ? ema({ decay: options.momentum, debias: false, accumulator_dtype: options.dtype_momentum })
          : identity,
        addDecayedWeights(options.weight_decay_rate ?? 0),
        scale(-1),
      ),
  });
  register('optimizer', 'lars', {
    doc: 'LARS: momentum with a rate for each array by its norm, for large batches (arXiv:1708.03888).',
    options: trustRatioOptions.pick({ eps: true }).extend({
      ...rate,
      weight_decay: weightDecayBefore,
      weight_decay_mask: z.boolean().default(true).describe('false: without decay'),
      trust_coefficient: trustRatioOptions.shape.trust_coefficient.default(1e-3),
      trust_ratio_mask: z.boolean().default(true).describe('false: one rate for all arrays'),
      momentum: z.number().default(0.9).describe('decay of the sum of updates'),
      nesterov: traceOptions.shape.nesterov,
    }),
    create: ({ learning_rate, weight_decay, trust_coefficient, eps, momentum, nesterov, ...masks }) =>
      chain(
        masks.weight_decay_mask ? addDecayedWeights(weight_decay) : identity,
        masks.trust_ratio_mask ? scaleByTrustRatio({ min_norm: 0, trust_coefficient, eps }) : identity,
        scaleByLearningRate(learning_rate),
        trace({ decay: momentum, nesterov }),
      ),
  });
  register('optimizer', 'lamb', {
    doc: 'LAMB: Adam with a rate for each array by its norm, for large batches (arXiv:1904.00962).',
    options: adamOptions.omit({ mu_dtype: true, nesterov: true }).extend({
      ...rate,
      eps: adamOptions.shape.eps.default(1e-6),
      weight_decay: weightDecay.default(0).describe('of all parameters, before the ratio is taken'),
    }),
    create: ({ learning_rate, weight_decay, ...adam }) =>
      chain(
        scaleByAdam({ ...adam, nesterov: false }),
        addDecayedWeights(weight_decay),
        scaleByTrustRatio(trustRatioOptions.parse({})),
        scaleByLearningRate(learning_rate),
      ),
  });
  register('optimizer', 'fromage', {
    doc: 'Fromage: gradients with the norm of their parameters, which are then made smaller (arXiv:2002.03432).',
    options: z.strictObject({ ...rate, min_norm: trustRatioOptions.shape.min_norm.default(1e-6) }),
    create: fromage,
  });
}

function withMomentum(
  decay: number | null | undefined,
  options: Omit<z.output<typeof traceOptions>, 'decay'>,
): GradientTransform {
  return typeof decay === 'number' ? trace({ decay, ...options }) : identity;
}

function fromage({
  learning_rate,
  min_norm,
}: {
  learning_rate: number;
  min_norm: number;
}): GradientTransform {
  // In float32 as in optax: what is left of 1 is so small that the rounding is seen.
  const root = Math.fround(Math.sqrt(Math.fround(1 + learning_rate ** 2)));
  const shrinkage = Math.fround(1 / root);
  return chain(
    scaleByTrustRatio({ ...trustRatioOptions.parse({}), min_norm }),
    scaleByLearningRate(learning_rate * shrinkage),
    addDecayedWeights(shrinkage - 1),
  );
}
