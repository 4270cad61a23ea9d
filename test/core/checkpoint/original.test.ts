// What is saved here, loaded by the original's own code: the same logits. Runs where the original is:
//   ORIGINAL=path/to/big_vision ORIGINAL_PYTHON=venv/bin/python npx jest test/core/checkpoint/original

import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { hostArray, type HostArray, sizeOf } from '../../../core/array';
import { CheckpointStore } from '../../../core/checkpoint/store';
import { saveNpz } from '../../../core/checkpoint/npz';
import type { Model } from '../../../core/extensions';
import { declareParams } from '../../../core/layers/params';
import { Scope } from '../../../core/layers/scope';
import { TensorSpec } from '../../../core/runtime';
import type * as tf from '../../../core/tensor';
import { nest, type NestedRecord } from '../../../core/tree';
import { bit, bitOptions, bitPaper, bitPaperOptions } from '../../../plugins/bit';
import { mixer, mixerOptions } from '../../../plugins/mixer';
import { vit, vitOptions } from '../../../plugins/vit';
import { XlaRuntime } from '../../../plugins/xla';
import { bv, root } from '../../support/cli';
import { sendAll } from '../../support/runtimes';
import { temporaryFolder } from '../../support/temporary';

const { ORIGINAL, ORIGINAL_PYTHON = 'python3' } = process.env;
const tested = ORIGINAL === undefined ? describe.skip : describe;

const small = { num_classes: 5, patch_size: [4, 4] };
const vitArgs = { ...small, width: 16, depth: 2, num_heads: 2, mlp_dim: 32 };
const bitArgs = { num_classes: 5, width: 0.5, depth: [1, 1] };
const models: readonly (readonly [original: string, config: object, model: Model])[] = [
  ['vit', { ...vitArgs, pool_type: 'map' }, vit(vitOptions.parse({ ...vitArgs, pool_type: 'map' }))],
  ['vit', { ...vitArgs, scan: true }, vit(vitOptions.parse({ ...vitArgs, scan: true }))],
  ...[{ ...small, num_blocks: 2, hidden_dim: 8, tokens_mlp_dim: 5, channels_mlp_dim: 12 }].map(
    (args) => ['mlp_mixer', args, mixer(mixerOptions.parse(args))] as const,
  ),
  ['bit', bitArgs, bit(bitOptions.parse(bitArgs))],
  ['bit_paper', bitArgs, bitPaper(bitPaperOptions.parse(bitArgs))],
];

/** Values in [-scale, scale] that look random. */
const values = (shape: readonly number[], seed: number, scale: number) =>
  hostArray(
    'float32',
    shape,
    Array.from(
      { length: sizeOf(shape) },
      (_, i) => scale * Math.sin(1 + seed * 91.7 + i * 12.9898 + i * i * 0.37),
    ),
  );

tested('loaded by the original', () => {
  let runtime: XlaRuntime;
  beforeAll(async () => {
    runtime = await XlaRuntime.create({ platform: 'cpu' });
  });
  afterAll(() => runtime.dispose());

  async function logitsOf(model: Model, params: NestedRecord<HostArray>, image: HostArray) {
    const forward = (params: NestedRecord<tf.Tensor>, image: tf.Tensor) =>
      model.apply(Scope.reading(params), { image }, { train: false }).output as tf.Tensor;
    return runtime.toHost(
      runtime.jit(forward, { name: 'logits' })(sendAll(runtime, params), runtime.toDevice(image)),
    );
  }

  test.each(models)(
    '%s %j',
    async (original, config, model) => {
      const folder = temporaryFolder();
      const image = values([2, 16, 16, 3], 7, 1);
      const declared = declareParams(runtime, model, { image: new TensorSpec('float32', image.shape) });
      const arrays = declared.map(({ name, spec: { shape } }, i) => {
        // Scales of norms are about 1, kernels keep the size of what they multiply.
        const scale = 1 / Math.sqrt(Math.max(4, sizeOf(shape.slice(0, -1))));
        const made = values(shape, i, scale);
        if (/scale$/.test(name)) made.data.forEach((value, j) => (made.data[j] = value + 1));
        return [name, made] as const;
      });
      await saveNpz(join(folder, 'inputs.npz'), { image });
      await saveNpz(join(folder, 'outputs.npz'), { logits: await logitsOf(model, nest(arrays), image) });
      // As a run saves it, and then as a person hands it on.
      const store = new CheckpointStore(join(folder, 'run', 'checkpoints'), () => undefined);
      const state = [...arrays.map(([name, array]) => [`params/${name}`, array] as const), ['step', hostArray('int32', [], [3])] as const]; // prettier-ignore
      store.save({ step: 3, keep: true, arrays: state, meta: {} }, async () => undefined);
      await store.finish();
      expect((await bv(['convert', 'run', 'ours.npz'], { cwd: folder })).stderr).toBe('');

      const script = join(root, 'test', 'golden', 'check_load_in_original.py');
      const inFolder = (name: string) => join(folder, name);
      const { stdout } = await promisify(execFile)(ORIGINAL_PYTHON, [
        script,
        ...['--checkpoint', inFolder('ours.npz'), '--model', original, '--config', JSON.stringify(config)],
        ...['--inputs', inFolder('inputs.npz'), '--outputs', inFolder('outputs.npz')],
      ]);
      expect(stdout).toMatch(/parameters, largest difference/);
      process.stdout.write(`${original}: ${stdout}`);
    },
    120_000,
  );
});
