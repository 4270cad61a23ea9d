import { join } from 'node:path';
import { type HostArray, hostArray, sizeOf } from '../../../core/array';
import { saveNpz } from '../../../core/checkpoint/npz';
import type { ParamArrays } from '../../../core/extensions';
import { declareParams } from '../../../core/layers/params';
import { TensorSpec } from '../../../core/runtime';
import { namedLeaves, nest, type Tree } from '../../../core/tree';
import { fixOldMixer, loadMixer, mixer, mixerOptions } from '../../../plugins/mixer';
import { XlaRuntime } from '../../../plugins/xla';
import { temporaryFolder } from '../../support/temporary';

let runtime: XlaRuntime;
beforeAll(async () => {
  runtime = await XlaRuntime.create({ platform: 'cpu' });
});
afterAll(() => runtime.dispose());

const declare = (options: object, image: readonly number[]) =>
  declareParams(runtime, mixer(mixerOptions.parse(options)), { image: new TensorSpec('float32', image) });

test.each([
  ['S/32', 19.1],
  ['B/16', 59.88],
  ['L/16', 208.2],
])('the variant %s has %d million parameters', (variant, millions) => {
  const declared = declare({ variant, num_classes: 1000 }, [1, 224, 224, 3]);
  const total = declared.reduce((sum, { spec }) => sum + sizeOf(spec.shape), 0);
  expect(total / 1e6).toBeCloseTo(millions, 1);
});

const small = { patch_size: [4, 4], num_blocks: 1, hidden_dim: 6, tokens_mlp_dim: 5, channels_mlp_dim: 7 };

test('options: a variant’s are overridden, what nobody says is named, a mistyped size is corrected', () => {
  expect(declare({ variant: 'B/16', num_blocks: 1 }, [1, 32, 32, 3])).toHaveLength(2 + 12 + 2);
  expect(() => mixer(mixerOptions.parse({ patch_size: [4, 4], num_blocks: 1 }))).toThrow(
    /doesn't know its hidden_dim, tokens_mlp_dim, channels_mlp_dim.\nTry: name a variant/,
  );
  expect(() => mixerOptions.parse({ variant: 'X/16' })).toThrow(
    /expected NAME\/PATCH with NAME one of S, B, L, H/,
  );
});

/** Parameters of the small model with values that tell them apart. */
function example(): ParamArrays {
  let next = 0;
  return nest(
    declare({ ...small, num_classes: 3 }, [1, 8, 8, 3]).map(({ name, spec: { shape } }) => [
      name,
      hostArray(
        'float32',
        shape,
        Array.from({ length: sizeOf(shape) }, () => next++),
      ),
    ]),
  ) as ParamArrays;
}
const leaves = (tree: ParamArrays) => new Map(namedLeaves<HostArray>(tree as Tree<HostArray>));

test('checkpoints of the paper are renamed, others are taken as they are', async () => {
  const params = example();
  expect(leaves(fixOldMixer(params))).toEqual(leaves(params));
  const { MixerBlock_0: block, stem, pre_head_layer_norm, head } = params as Record<string, ParamArrays>;
  const { token_mixing, channel_mixing, ...norms } = block as Record<string, ParamArrays>;
  const flat = (mlp: ParamArrays | undefined) => {
    const of = (name: string) => leaves(mlp as ParamArrays).get(name) as HostArray;
    return { bias1: of('Dense_0/bias'), kernel1: of('Dense_0/kernel'), bias2: of('Dense_1/bias'), kernel2: of('Dense_1/kernel') }; // prettier-ignore
  };
  const old = {
    embedding: stem,
    head,
    Mixer: {
      encoder_norm: pre_head_layer_norm,
      encoderblock_0: {
        ...norms,
        token_mixing_phase_0: flat(token_mixing),
        channel_mixing_phase_0: flat(channel_mixing),
      },
    },
  } as ParamArrays;
  expect(leaves(fixOldMixer(old))).toEqual(leaves(params));

  const file = join(temporaryFolder(), 'old.npz');
  await saveNpz(file, old);
  const init = nest([...leaves(params)].map(([name, { shape }]) => [name, hostArray('float32', shape, new Float32Array(sizeOf(shape)))] as const)) as ParamArrays; // prettier-ignore
  const loaded = leaves(await loadMixer(init, file, ['head/.*']));
  expect(loaded.get('head/kernel')?.data.every((value) => value === 0)).toBe(true);
  expect(loaded.get('stem/kernel')).toEqual(leaves(params).get('stem/kernel'));
  await expect(loadMixer(init, 'B-i1k/16')).rejects.toThrow(
    /gs:\/\/mixer_models\/imagenet1k\/Mixer-B_16\.npz.*download it/s,
  );
  await expect(loadMixer({ head: init.head } as ParamArrays, file)).rejects.toThrow(/ \+ stem\/kernel/);
});
