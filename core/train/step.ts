// The train step: one function of (state, batch, key), built from the stock parts and whatever the hooks wrap around
// them. The runtime compiles it into one program.

import type { Batch, Loss, Params } from '../extensions';
import type {
  BatchFn,
  GradientFn,
  LossFn,
  StepContext,
  StepFn,
  TrainerHooks,
  TrainState,
  UpdateFn,
} from '../hooks';
import { type Runtime, TensorSpec } from '../runtime';
import * as tf from '../tensor';
import { mapNamed, namedLeaves, nest, subtree } from '../tree';
import { globalNorm, valueAndGrad } from './gradients';
import type { Run } from './run';
import { forward } from './variables';

/** The stock step with the hooks `batch`, `loss`, `gradients`, `update` and `program` applied. */
export function buildStep(hooks: TrainerHooks, run: Run, xent: Loss): StepFn {
  const { model, update: rule } = run;

  const stockBatch: BatchFn = (batch, { rng }) => ({ batch, rng });

  const stockLoss: LossFn = (params, batch, context) => {
    const { output, extra } = forward(model, params, batch, context);
    return { loss: xent({ logits: output as tf.Tensor, labels: batch.labels as tf.Tensor }), extra };
  };

  const stockGradients: GradientFn = (loss, params, batch, context) =>
    valueAndGrad((p) => loss(p, batch, context), params);

  const stockUpdate: UpdateFn = (grads, state) => {
    const { updates, state: opt } = rule.update(grads, state.opt, state.params, state.step);
    return { updates, opt };
  };

  const batchFn = hooks.batch.call(stockBatch, run);
  const lossFn = hooks.loss.call(stockLoss, run);
  const gradientFn = hooks.gradients.call(stockGradients, run);
  const updateFn = hooks.update.call(stockUpdate, run);

  const stockStep: StepFn = (state, raw, context) => {
    const { batch, rng } = batchFn(raw, context);
    const [, lossKey] = tf.random.split(rng, 2) as [tf.Tensor, tf.Tensor];
    const inner: StepContext = { ...context, rng: lossKey };
    const { loss, grads, metrics, extra } = gradientFn(lossFn, state.params, batch, inner);
    const { updates, opt } = updateFn(grads, state, inner);
    const params = mapNamed<tf.Tensor, tf.Tensor>(state.params, (name, param) =>
      tf.add(param, subtree<tf.Tensor>(updates, name) as tf.Tensor),
    );
    return {
      state: {
        params,
        opt,
        extra: { ...state.extra, ...extra },
        step: tf.add(state.step, tf.scalar(1, 'int32')),
      },
      metrics: {
        ...metrics,
        training_loss: loss,
        l2_grads: globalNorm(trained(grads, run)),
        l2_params: globalNorm(trained(params, run, true)),
        l2_updates: globalNorm(trained(updates, run)),
      },
    };
  };
  return hooks.program.call(stockStep, run);
}

/** The step as the runtime compiles it: what a call needs, as arguments. */
function stepFunction(step: StepFn) {
  return (state: TrainState, batch: Batch, loopKey: tf.Tensor, options: StepContext['options']) => {
    const rng = tf.random.foldIn(loopKey, state.step);
    return step(state, batch, { rng, step: state.step, extra: state.extra, options });
  };
}

/** A project that chooses more different options than this by the hook `step` is told that they are compiled. */
const maxPrograms = 32;

/** The compiled step: consumes the state, and has a program for each value of the options. */
export const jitStep = (runtime: Runtime, step: StepFn) =>
  runtime.jit(stepFunction(step), { name: 'train step', donate: [0], static: [3], variants: maxPrograms });

/** The arguments of a step of this run as specs, to compile it for. @param state every leaf of the train state */
export function stepSpecs(
  run: Run,
  state: readonly (readonly [name: string, spec: TensorSpec])[],
  options: StepContext['options'],
): readonly unknown[] {
  // Empty subtrees have no leaves.
  const stateTree = { params: {}, opt: {}, extra: {}, ...nest(state) };
  return [stateTree, run.batchSpec, new TensorSpec('int32', [2]), options];
}

function trained(tree: Params, run: Run, frozenToo = false): tf.Tensor[] {
  return namedLeaves<tf.Tensor>(tree)
    .filter(([name]) => frozenToo || !run.update.frozen(name))
    .map(([, leaf]) => leaf);
}
