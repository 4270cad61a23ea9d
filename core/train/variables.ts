// Variables of a model: what it keeps from step to step beside its parameters (`Scope.variable`). In the train state they
// are `extra.variables`; wherever the model is applied they stand among the parameters, whose names they never share.

import type { Batch, Model, ModelResult, Params } from '../extensions';
import type { LossResult, StepContext } from '../hooks';
import { type RngStreams, Scope } from '../layers/scope';
import type * as tf from '../tensor';
import { namedLeaves, nest, type NestedRecord, subtree } from '../tree';

/** Where in the train state they are. */
export const variablesPlace = 'extra/variables';

type Extra = NestedRecord<tf.Tensor>;

/** Parameters and variables in one tree, as a scope reads them. */
export function withVariables(params: Params, { variables }: Extra): Params {
  if (!variables) return params;
  return nest([...namedLeaves<tf.Tensor>(params), ...namedLeaves<tf.Tensor>(variables as Extra)]);
}

/** The part of a tree that has these names. */
export function named<T>(tree: NestedRecord<T>, names: NestedRecord<unknown>): NestedRecord<T> {
  return nest(namedLeaves(names).map(([name]) => [name, subtree<T>(tree, name) as T] as const));
}

export interface ForwardOptions {
  /** Keys of random streams. Default: the step's key for `dropout`. */
  readonly rngs?: RngStreams;
  /** Further arguments of the model's call, beside the step's options. */
  readonly call?: Readonly<Record<string, unknown>>;
}

/**
 * The model in training, as a loss applies it. The result's `extra` has the new values of variables: a loss has to return
 * it, and it is absent where there are none. Traced.
 */
export function forward(
  model: Model,
  params: Params,
  batch: Batch,
  { rng, extra, options }: StepContext,
  { rngs = { dropout: rng }, call }: ForwardOptions = {},
): ModelResult & Pick<LossResult, 'extra'> {
  const updates = new Map<string, tf.Tensor>();
  const scope = Scope.reading(withVariables(params, extra), rngs, updates);
  const result = model.apply(scope, batch, { ...options, ...call, train: true });
  if (!extra.variables) return result;
  const before = namedLeaves<tf.Tensor>(extra.variables as Extra);
  const variables = nest(before.map(([name, value]) => [name, updates.get(name) ?? value] as const));
  return { ...result, extra: { variables } };
}
