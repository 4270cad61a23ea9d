// bfloat16: two bytes an element, float32 where sums are made, and training that goes as in float32.

import { hostArray } from '../../../core/array';
import { TensorSpec } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import { readCase } from '../../support/golden';
import { trainCase } from '../../support/train';
import { useXla } from './support';

const holder = useXla();
const bf16 = (x: tf.Tensor) => tf.castStorage(x, 'bfloat16');
const put = (shape: readonly number[], f: (i: number) => number) => {
  const size = shape.reduce((product, n) => product * n, 1);
  return holder.runtime.toDevice(
    hostArray(
      'float32',
      shape,
      Float32Array.from({ length: size }, (_, i) => f(i)),
    ),
  );
};

test('an element takes two bytes, on the device and in a program', () => {
  const { runtime } = holder;
  const f = runtime.jit((x: tf.Tensor) => tf.mul(x, 2), { name: 'double' });
  const { memory } = f.compile(new TensorSpec('bfloat16', [1000]));
  expect(memory).toMatchObject({ arguments: 2000, outputs: 2000 });
  const x = bf16(put([1000], (i) => i));
  expect(runtime.specOf(x).dtype).toBe('bfloat16');
  expect(runtime.specOf(f(x)).dtype).toBe('bfloat16');
});

// Summed in bfloat16, 1 + 1 + ... stops at 256.
const sums: Record<string, (x: tf.Tensor) => tf.Tensor> = {
  sum: (x) => tf.sum(x),
  'mean, as a sum': (x) => tf.mul(tf.mean(x), 4096),
  cumsum: (x) => tf.slice(tf.cumsum(x), [4095], [1]),
  matMul: (x) => tf.matMul(tf.reshape(x, [1, 4096]), tf.reshape(x, [4096, 1])),
  einsum: (x) => tf.einsum('i,i->', x, x),
  'einsum that sums one operand': (x) => tf.einsum('i,j->j', x, tf.slice(x, [0], [1])),
  'a gradient by what is broadcast': (x) =>
    tf.grad((scale: tf.Tensor) => tf.sum(tf.mul(x, scale)))(bf16(tf.ones([1]))),
};

test.each(Object.keys(sums))('%s accumulates in float32', (name) => {
  const f = holder.runtime.jit((x: tf.Tensor) => (sums[name] as (x: tf.Tensor) => tf.Tensor)(bf16(x)), {
    name,
  });
  const y = f(put([4096], () => 1));
  expect(holder.runtime.specOf(y).dtype).toBe('bfloat16');
  expect([...y.dataSync()]).toEqual([4096]);
});

test('softmax and moments of bfloat16 are those of float32, rounded', () => {
  const f = (x: tf.Tensor) => {
    const { mean, variance } = tf.moments(x, -1);
    return [tf.softmax(x), tf.logSoftmax(x), mean, variance, tf.logSumExp(x, -1)].map((y) =>
      tf.castStorage(y, 'float32'),
    );
  };
  const x = put([4, 1000], (i) => Math.fround(Math.sin(i * 1.3) * 4));
  const g = holder.runtime.jit((x: tf.Tensor) => [f(bf16(x)), f(tf.castStorage(bf16(x), 'float32'))], {
    name: 'norms',
  });
  const [narrow, wide] = g(x) as [tf.Tensor[], tf.Tensor[]];
  narrow.forEach((y, i) => {
    const want = wide[i]!.dataSync();
    y.dataSync().forEach((value, j) => {
      // Half a unit in the last of 8 bits, and as much for a step in between.
      expect(Math.abs(value - want[j]!)).toBeLessThanOrEqual(Math.abs(want[j]!) * 2 ** -7 + 1e-6);
    });
  });
});

test('a run in bfloat16 with moments in bfloat16 goes as one in float32', async () => {
  const golden = await readCase('train_vit_softmax_f32');
  const { config } = golden.args as { config: Record<string, object> };
  const model = { patch_size: [7, 7], width: 16, depth: 1, num_heads: 2, mlp_dim: 32, pool_type: 'gap' };
  const run = (dtype: string) => {
    const changed = { ...config, model: { ...model, dtype_mm: dtype }, optax: { mu_dtype: dtype } };
    return trainCase(holder.runtime, { ...golden, args: { config: changed } });
  };
  const [a, b] = [await run('float32'), await run('bfloat16')];
  const curve = (run: typeof a) => [...(run.get('training_loss')?.data ?? [])] as number[];
  const [wide, rounded] = [curve(a), curve(b)];
  expect(wide.length).toBe(20);
  expect(wide.at(-1)).toBeLessThan(wide[0]! - 0.1);
  rounded.forEach((loss, i) => expect(Math.abs(loss - wide[i]!)).toBeLessThan(0.005 * wide[i]!));
  expect(rounded).not.toEqual(wide);
  // As in the original: learned positions have the type of the activations, the other parameters are float32.
  const stored = [...b].filter(([name, { dtype }]) => name.startsWith('params/') && dtype !== 'float32');
  expect(stored.map(([name]) => name)).toEqual(['params/pos_embedding']);
});
