// A ViT whose blocks are stacked: the program, its memory, and training on several devices.

import { hostArray, type HostArray, sizeOf } from '../../../core/array';
import type { Params } from '../../../core/extensions';
import { Scope } from '../../../core/layers/scope';
import { declareParams } from '../../../core/layers/params';
import { type PartitionSpec, TensorSpec } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import { valueAndGrad } from '../../../core/train/gradients';
import { mapNamed, namedLeaves, nest, type NestedRecord, zipNamed } from '../../../core/tree';
import { scanToPyloop, type VitInput, vit, vitOptions } from '../../../plugins/vit';
import { useXla } from '../xla/support';

// Compiling takes most of the time, and how fast the programs are doesn't matter.
process.env.BV_XLA_FLAGS = 'xla_backend_optimization_level=0';

const holder = useXla({ devices: 4 });
const imageSpec = new TensorSpec('float32', [8, 8, 8, 3], ['data']);

const modelOf = (options: VitInput) =>
  vit(
    vitOptions.parse({
      num_classes: 5,
      patch_size: [4, 4],
      width: 16,
      num_heads: 2,
      mlp_dim: 64,
      head_zeroinit: false,
      ...options,
    }),
  );

/** A step of gradient descent: parameters and loss. */
function stepOf(options: VitInput) {
  const model = modelOf(options);
  return (params: Params, image: tf.Tensor) => {
    const { loss, grads } = valueAndGrad((at: Params) => {
      const { output } = model.apply(Scope.reading(at), { image }, { train: true });
      return { loss: tf.mean(tf.square(tf.sub(output as tf.Tensor, 1))) };
    }, params);
    const next = zipNamed<tf.Tensor, tf.Tensor>([params, grads as Params], (p, g) =>
      tf.sub(p, tf.mul(g, 0.1)),
    );
    return { params: next, loss };
  };
}

function specsOf(options: VitInput, image = imageSpec): NestedRecord<TensorSpec> {
  return nest(
    declareParams(holder.runtime, modelOf(options), { image }).map(({ name, spec }) => [name, spec] as const),
  );
}

const compile = (options: VitInput, image = imageSpec) =>
  holder.runtime.jit(stepOf(options), { name: 'step', donate: [0] }).compile(specsOf(options, image), image);

test('the program does not grow with the depth', () => {
  const [shallow, deep] = [4, 24].map((depth) => compile({ depth, scan: true }).text as string);
  expect((deep as string).length).toBeLessThan(1.02 * (shallow as string).length);
});

test('what is computed again takes no memory', () => {
  const image = new TensorSpec('float32', [32, 16, 16, 3], ['data']);
  const memory = (remat_policy: tf.RematPolicy) =>
    compile({ depth: 8, scan: true, remat_policy }, image).memory?.temporaries as number;
  expect(memory('nothing_saveable')).toBeLessThan(0.5 * memory('everything_saveable'));
  expect(memory('none')).toBe(memory('nothing_saveable'));
});

test('a policy that there is none of', () => {
  expect(() => modelOf({ depth: 1, scan: true, remat_policy: 'dots' as never })).toThrow('nothing_saveable');
});

test('training with split batches and parameters is that of separate blocks', async () => {
  const { runtime } = holder;
  const depth = 4;
  const random = (shape: readonly number[], seed: number) =>
    hostArray(
      'float32',
      shape,
      Array.from({ length: sizeOf(shape) }, (_, i) => 0.3 * Math.sin(1.7 * i + seed)),
    );
  const image = runtime.toDevice(random(imageSpec.shape, 1), ['data']);
  const stacked = mapNamed<TensorSpec, HostArray>(specsOf({ depth, scan: true }), (name, { shape }) =>
    random(shape, name.length),
  );

  const train = async (
    options: VitInput,
    arrays: NestedRecord<HostArray>,
    specOf: (shape: readonly number[]) => PartitionSpec,
  ) => {
    const step = runtime.jit(stepOf(options), { name: 'step', donate: [0] });
    let params = mapNamed<HostArray, tf.Tensor>(arrays, (_, array) =>
      runtime.toDevice(array, specOf(array.shape)),
    );
    const losses: number[] = [];
    for (let i = 0; i < 3; i++) {
      const result = step(params, image);
      const [[, old]] = namedLeaves<tf.Tensor>(params) as [[string, tf.Tensor]];
      expect(() => old.dataSync()).toThrow('donated');
      params = result.params as Params;
      losses.push(...result.loss.dataSync());
    }
    expect(step.programs).toBe(1);
    const host = await Promise.all(
      namedLeaves<tf.Tensor>(params).map(async ([name, x]) => [name, await runtime.toHost(x)] as const),
    );
    return { losses, params: nest(host) };
  };

  // Of stacks, the last axis where it can be split; as fsdp does.
  const split = (shape: readonly number[]): PartitionSpec =>
    (shape.at(-1) ?? 0) % 4 === 0 ? [...shape.slice(1).map(() => null), 'data'] : [];
  const separate = await train({ depth }, scanToPyloop(stacked), () => []);
  const scanned = await train({ depth, scan: true }, stacked, split);
  scanned.losses.forEach((loss, i) => expect(loss).toBeCloseTo(separate.losses[i] as number, 5));
  const want = new Map(namedLeaves<HostArray>(separate.params));
  for (const [name, { data }] of namedLeaves<HostArray>(scanToPyloop(scanned.params))) {
    const expected = want.get(name)?.data as Float32Array;
    const error = Math.max(
      ...Array.from(data as Float32Array, (x, i) => Math.abs(x - (expected[i] as number))),
    );
    expect([name, error < 2e-5 || error]).toEqual([name, true]);
  }
});
