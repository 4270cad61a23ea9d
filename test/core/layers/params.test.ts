// Declaring and making parameters, on a model of three lines.

import type { Model } from '../../../core/extensions';
import { lecunNormal, normal, zeros } from '../../../core/layers/init';
import { declareParams, initParams } from '../../../core/layers/params';
import { type JitOptions, type Runtime, type ShardingLeaf, TensorSpec } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import type { Tree } from '../../../core/tree';
import { toHostArrays, toTensor, useEagerCpu } from '../../support/runtimes';

useEagerCpu();

/** Counts what it is asked for. */
class CountingRuntime {
  readonly programs: JitOptions[] = [];
  readonly sent: tf.Tensor[] = [];
  readonly batches: number[][] = [];

  jit<F extends (...args: never[]) => tf.Tensor>(fn: F, options: JitOptions): F {
    this.programs.push(options);
    return fn;
  }

  toDevice(array: Parameters<Runtime['toDevice']>[0]): tf.Tensor {
    const sent = toTensor(array);
    this.sent.push(sent);
    return sent;
  }

  evalShape(fn: (batch: object) => unknown, specs: Record<string, TensorSpec>): Tree<TensorSpec> {
    const batch = Object.entries(specs).map(([name, { shape }]) => {
      this.batches.push([...shape]);
      return [name, tf.zeros(shape as number[])] as const;
    });
    fn(Object.fromEntries(batch));
    return undefined;
  }
}

const model: Model = {
  apply(scope, { image }) {
    const layer = (name: string, x: tf.Tensor, width: number) => {
      const at = scope.child(name);
      const kernel = at.param('kernel', [x.shape[1] as number, width], lecunNormal());
      return tf.add(tf.matMul(x, kernel), at.param('bias', [width], zeros));
    };
    const x = layer('a', image as tf.Tensor, 4);
    const y = layer('b', x, 4);
    const z = layer('c', tf.add(y, scope.param('token', [1, 4], normal(0.02))), 4);
    return { output: z, out: {} };
  },
};
const spec = { image: new TensorSpec('float32', [64, 4]) };

const open = () => new CountingRuntime() as CountingRuntime & Runtime;

test('parameters are declared in the order of the model, with one example', () => {
  const runtime = open();
  const declared = declareParams(runtime, model, spec);
  expect(declared.map(({ name }) => name)).toEqual([
    'a/kernel', 'a/bias', 'b/kernel', 'b/bias', 'token', 'c/kernel', 'c/bias',
  ]); // prettier-ignore
  expect(runtime.batches).toEqual([[1, 4]]);
  expect(declared[4]?.spec).toEqual(new TensorSpec('float32', [1, 4]));
  expect(declared[4]?.init.id).toBe('normal(0.02)');
});

test('one program for each initializer, shape and sharding; keys are arguments', () => {
  const runtime = open();
  const declared = declareParams(runtime, model, spec);
  const params = initParams(runtime, declared, tf.random.key(1));
  expect(runtime.programs).toHaveLength(3);
  expect(runtime.sent).toHaveLength(7);
  expect(runtime.sent.every(({ isDisposed }) => isDisposed)).toBe(true);
  const values = toHostArrays(params as Tree<tf.Tensor>);
  expect(values.get('a/kernel')?.data).not.toEqual(values.get('b/kernel')?.data);

  const split = open();
  const specOf = (name: string) => (name === 'b/kernel' ? [null, 'data'] : []);
  initParams(split, declared, tf.random.key(1), specOf);
  const shardings = split.programs.map(({ outShardings }) => (outShardings as ShardingLeaf).spec);
  expect(shardings).toEqual([[], [], [null, 'data'], []]);
});

test('a parameter has the same value whatever others there are', () => {
  const runtime = open();
  const declared = declareParams(runtime, model, spec);
  const valuesOf = (wanted: typeof declared) =>
    toHostArrays(initParams(runtime, wanted, tf.random.key(1)) as Tree<tf.Tensor>);
  const [all, some] = [valuesOf(declared), valuesOf([...declared].reverse().slice(0, 3))];
  for (const [name, value] of some) expect(all.get(name)).toEqual(value);
});
