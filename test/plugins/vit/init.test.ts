// Initial parameters: those of the original for the same seed, and as many as the published sizes have.

import { type HostArray, sizeOf } from '../../../core/array';
import { constant } from '../../../core/layers/init';
import { declareParams, initParams } from '../../../core/layers/params';
import { TensorSpec } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import { vit, type VitInput, vitOptions } from '../../../plugins/vit';
import { XlaRuntime } from '../../../plugins/xla';
import { expectCase, goldenCases, readCase } from '../../support/golden';
import { fetchAll } from '../../support/runtimes';

let runtime: XlaRuntime;
beforeAll(async () => {
  runtime = await XlaRuntime.create({ platform: 'cpu' });
});
afterAll(() => runtime.dispose());

const small = { patch_size: [4, 4], width: 16, depth: 2, num_heads: 2 };
const declare = (options: object, image: readonly number[]) =>
  declareParams(runtime, vit(vitOptions.parse(options)), { image: new TensorSpec('float32', image) });

describe('golden', () => {
  const cases = goldenCases(({ kind, name }) => kind === 'init_exact' && name === 'vit');
  test.each(cases.map(({ folder }) => folder))('%s', async (folder) => {
    const golden = await readCase(folder);
    const { seed, train, init_head_bias } = golden.call as {
      seed: number;
      train?: boolean;
      init_head_bias?: number | null;
    };
    let key = tf.random.key(seed);
    const got = new Map<string, HostArray>();
    if (train) {
      // As the trainer splits the seed's key.
      const [rest, init] = tf.random.split(key) as [tf.random.HostKey, tf.random.HostKey];
      key = init;
      got.set('rng_loop', tf.random.keyArray(tf.random.split(rest)[1] as tf.random.HostKey));
    }
    const declared = declare(golden.args, golden.inputs.get('image')?.shape as number[]).map((declaration) =>
      typeof init_head_bias === 'number' && declaration.name === 'head/bias'
        ? { ...declaration, init: constant(init_head_bias) }
        : declaration,
    );
    const params = await fetchAll(runtime, initParams(runtime, declared, key), 'params/');
    for (const [name, array] of params) got.set(name, array);
    expect([...got.keys()].sort()).toEqual([...golden.outputs.keys()].sort());
    expectCase(got, golden);
    // What no logarithm goes into is the same to the last bit; that of normal numbers depends on XLA's version.
    for (const [name, want] of golden.outputs) {
      if (isExact(name)) expect(got.get(name)).toEqual(want);
    }
  });

  const isExact = (name: string) =>
    /Norm|norm|probe|cls|rng_loop|head\/bias|MlpBlock_0\/.*kernel|(query|key|value|out)\/(kernel|bias)/.test(
      name,
    );
});

describe('the published sizes', () => {
  test.each<[string, VitInput, number]>([
    ['mu/16', {}, 76_648],
    ['Ti/16', {}, 5_717_032],
    ['S/16', {}, 22_049_896],
    ['S/16', { posemb: 'sincos2d', rep_size: true }, 22_122_472],
    ['M/16', {}, 38_836_712],
    ['B/16', {}, 86_566_120],
    ['B/16', { pool_type: 'tok' }, 86_566_888],
    ['L/16', {}, 304_324_584],
    ['So400m/14', {}, 413_595_352],
    ['H/14', {}, 632_043_240],
    ['g/14', {}, 1_012_608_616],
    ['g-opt/14', {}, 1_136_098_792],
    ['g-opt/16', {}, 1_136_283_112],
    ['G/14', {}, 1_844_437_352],
    ['G-opt/14', {}, 1_664_839_144],
    ['e/14', {}, 3_807_210_728],
  ])('%s %j has %d parameters, with and without scan', (variant, options, count) => {
    for (const scan of [false, true]) {
      const declared = declare({ variant, num_classes: 1000, ...options, scan }, [8, 224, 224, 3]);
      expect(declared.reduce((sum, { spec }) => sum + sizeOf(spec.shape), 0)).toBe(count);
    }
  });
});

test('types of the parameters: what is added to activations is stored in their type', () => {
  const declared = declare({ ...small, pool_type: 'tok', dtype_mm: 'bfloat16' }, [1, 8, 8, 3]);
  const narrow = declared.filter(({ spec }) => spec.dtype !== 'float32').map(({ name }) => name);
  expect(narrow.sort()).toEqual(['cls', 'pos_embedding']);
});

test('layers of a stack differ from each other, and not by where they are made', async () => {
  const declared = declare({ ...small, scan: true }, [1, 8, 8, 3]);
  const name = 'Transformer/encoderblock/MlpBlock_0/Dense_0/kernel';
  const wanted = declared.filter((declaration) => declaration.name === name);
  const values = async (declarations: typeof declared) =>
    (await fetchAll(runtime, initParams(runtime, declarations, tf.random.key(3)))).get(name)?.data;
  const alone = (await values(wanted)) as Float32Array;
  expect(alone).toEqual(await values(declared));
  const [first, second] = [alone.subarray(0, alone.length / 2), alone.subarray(alone.length / 2)];
  expect(first.filter((value, i) => value === second[i]).length).toBeLessThan(3);
});
