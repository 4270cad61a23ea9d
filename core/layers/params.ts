// The parameters of a model: which it has, and their initial values, without a program for the whole model.

import { hostArray } from '../array';
import type { Batch, Model, Params } from '../extensions';
import { type PartitionSpec, type Runtime, ShardingLeaf, TensorSpec } from '../runtime';
import * as tf from '../tensor';
import { nest } from '../tree';
import { type ParamDeclaration, Scope, initKeys, initValue } from './scope';

/**
 * What the model asks its scope for when it sees a batch like this, in that order. Runs the model abstractly, with one
 * example in the batch, as flax's lazy init does.
 */
export function declareParams(
  runtime: Runtime,
  model: Model,
  batchSpec: { readonly [name: string]: TensorSpec },
): ParamDeclaration[] {
  const declared: ParamDeclaration[] = [];
  const one = Object.fromEntries(
    Object.entries(batchSpec).map(([name, { dtype, shape }]) => [
      name,
      new TensorSpec(dtype, [1, ...shape.slice(1)]),
    ]),
  );
  runtime.evalShape(
    (batch: Batch) => model.apply(Scope.declaring(declared), batch, { train: false }).output,
    one,
  );
  return declared;
}

/**
 * Initial values: those that flax's `init` gives for the key. Each parameter comes from a small program of its own,
 * shared by parameters of the same initializer, shape and sharding, that gets its key as an argument and puts each
 * part of the result on its device: compiling takes moments, and no device ever holds more than its parts.
 *
 * A model with variables draws them and its parameters from the two halves of the key.
 */
export function initParams(
  runtime: Runtime,
  declarations: readonly ParamDeclaration[],
  key: tf.random.HostKey,
  shardingOf: (name: string, spec: TensorSpec) => PartitionSpec = () => [],
): Params {
  const programs = new Map<string, (keys: tf.Tensor) => tf.Tensor>();
  const hasState = declarations.some(({ stream }) => stream === 'state');
  const [params, state] = hasState ? tf.random.split(key) : [key, key];
  const streams = { params, state } as Record<ParamDeclaration['stream'], tf.random.HostKey>;
  const named = declarations.map((declaration) => {
    const { name, spec, init, layers } = declaration;
    const sharding = shardingOf(name, spec);
    const id = JSON.stringify([init.id, spec.dtype, spec.shape, layers, sharding]);
    let program = programs.get(id);
    if (!program) {
      program = runtime.jit((keys: tf.Tensor) => initValue(declaration, keys), {
        name: `init ${init.id}`,
        outShardings: new ShardingLeaf(sharding),
      });
      programs.set(id, program);
    }
    const words = initKeys(declaration, streams[declaration.stream]).flatMap((key) => [
      ...tf.random.keyArray(key).data,
    ]);
    const keys = runtime.toDevice(hostArray('int32', [words.length / 2, 2], words));
    const value = program(keys);
    keys.dispose();
    return [name, value] as const;
  });
  return nest(named);
}
