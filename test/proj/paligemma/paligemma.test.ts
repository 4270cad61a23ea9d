// What the loss asks for, and parameters of both parts from one file. The numbers are compared by test/cli/parity.

import '../../support/cpu-backend';
import * as path from 'node:path';
import { hostArray } from '../../../core/array';
import { saveNpz } from '../../../core/checkpoint/npz';
import type { Model } from '../../../core/extensions';
import * as tf from '../../../core/tensor';
import { shifted } from '../../../proj/paligemma/loss';
import { paligemma, paligemmaOptions } from '../../../proj/paligemma/model';
import { releasedFile } from '../../../proj/paligemma/released';
import { XlaRuntime } from '../../../plugins/xla';
import { expectCase, readCase } from '../../support/golden';
import { temporaryFolder } from '../../support/temporary';
import { trainCase } from '../../support/train';

test('training is that of the original, with a frozen image tower', async () => {
  const runtime = await XlaRuntime.create({ platform: 'cpu' });
  const golden = await readCase('train_paligemma');
  expectCase(await trainCase(runtime, golden), golden);
  await runtime.dispose();
});

const img = { load: async (init) => init } as Pick<Model, 'load'> as Model;

test('each word is asked for by those before it, and counts as mask_loss says', () => {
  const row = (...values: number[]) => tf.tensor([values], [1, values.length], 'int32');
  const { inputs, targets, weights } = shifted({
    text: row(2, 7, 8, 1),
    mask_ar: row(0, 0, 1, 1),
    mask_loss: row(0, 0, 1, 1),
  });
  expect(inputs.text!.arraySync()).toEqual([[2, 7, 8]]);
  expect(inputs.mask_ar!.arraySync()).toEqual([[0, 0, 1]]);
  expect([targets.arraySync(), weights.arraySync()]).toEqual([[[7, 8, 1]], [[0, 1, 1]]]);
});

test('the language model of a file has the words that a smaller vocabulary lacks', async () => {
  const words = (rows: number, value: number) => ({
    embedder: { input_embedding: hostArray('float32', [rows, 4], new Float32Array(rows * 4).fill(value)) },
  });
  const bias = { bias: hostArray('float32', [1], [0]) };
  const file = path.join(temporaryFolder(), 'paligemma.npz');
  await saveNpz(file, { img: bias, llm: words(2, 7) });
  const model = paligemma(paligemmaOptions.parse({}), () => img);
  const loaded = (await model.load!({ img: bias, llm: words(3, 0) }, file, {
    img_load_kw: {},
    llm_load_kw: {},
  })) as {
    llm: ReturnType<typeof words>;
  };
  expect([...loaded.llm.embedder.input_embedding.data]).toEqual([7, 7, 7, 7, 7, 7, 7, 7, 0, 0, 0, 0]);
});

test.each([
  ['pt_224', 'pt_224.npz'],
  ['pt_448.bf16', 'pt_448.bf16.npz'],
  ['pt_10b_896', 'pt_10b_896.bf16.npz'],
])('the released checkpoint %s is a file of BV_GEMMA_DIR', (name, file) => {
  delete process.env.BV_GEMMA_DIR;
  expect(() => releasedFile(name)).toThrow(`download ${file}`);
  process.env.BV_GEMMA_DIR = '/gemma';
  expect(releasedFile(name)).toBe(`/gemma/${file}`);
  expect(releasedFile('pt_225')).toBe('pt_225');
  delete process.env.BV_GEMMA_DIR;
});

test('a language model of unknown size is an error that names the key', () => {
  const options = paligemmaOptions.parse({ llm: { variant: 'gemma3_4b' } });
  expect(() => paligemma(options, () => img)).toThrow(/model\.llm\.variant/);
});
