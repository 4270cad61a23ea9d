// The original's configs of image and text, with small models, train and evaluate on files in the form of COCO.

import * as fs from 'node:fs';
import * as path from 'node:path';
import sharp from 'sharp';
import type { HostArray } from '../../core/array';
import { saveNpz } from '../../core/checkpoint/npz';
import { openCheckpoint } from '../../core/checkpoint/load-params';
import type { ParamArrays } from '../../core/extensions';
import { namedLeaves } from '../../core/tree';
import { bv } from '../support/cli';
import { arraysUnder, readCase } from '../support/golden';
import { metricsOf } from '../support/runs';
import { temporaryFolder } from '../support/temporary';

const data = temporaryFolder();

beforeAll(async () => {
  const images = Array.from({ length: 24 }, (_, i) => ({
    split: i % 3 === 0 ? 'test' : i % 3 === 1 ? 'val' : 'train',
    filepath: 'train2014',
    filename: `${i}.jpg`,
    cocoid: i,
    sentences: [{ raw: 'one more' }, { raw: `more than ${i}` }],
  }));
  fs.mkdirSync(path.join(data, 'coco_captions/train2014'), { recursive: true });
  for (const [i, { filepath, filename }] of images.entries()) {
    const create = { width: 24, height: 20, channels: 3, background: { r: 10 * i, g: 90, b: 9 } } as const;
    await sharp({ create })
      .jpeg()
      .toFile(path.join(data, 'coco_captions', filepath, filename));
  }
  fs.writeFileSync(path.join(data, 'coco_captions/dataset_coco.json'), JSON.stringify({ images }));
});

async function train(config: string, overrides: Readonly<Record<string, string>>): Promise<string> {
  const workdir = path.join(temporaryFolder(), 'run');
  const all = { total_steps: '4', 'input.batch_size': '4', log_training_steps: '1', 'evals.retrieval_coco.log_steps': '4', ...overrides }; // prettier-ignore
  const args = Object.entries(all).map(([key, value]) => `--config.${key}=${value}`);
  const { code, stderr } = await bv(['train', '--config', config, '--workdir', workdir, ...args], {
    env: { BV_DATA_DIR: data },
  });
  expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
  const last = Object.assign({}, ...metricsOf(workdir)) as Record<string, number>;
  expect(last.step).toBe(4);
  expect(Number.isFinite(last.training_loss)).toBe(true);
  // Of 16 captions two are an image's: ten places hold one of them at least sometimes.
  expect(last['z/retr/coco_img2txt_recall@10']).toBeGreaterThan(0);
  return workdir;
}

test('siglip_lit_coco, from a ViT and from BERT as its authors released it', async () => {
  const init = temporaryFolder();
  const golden = await readCase('grad_towers_two_lit');
  const { img } = arraysUnder(golden.inputs, 'params') as { img: ParamArrays };
  await saveNpz(path.join(init, 'vit.npz'), { params: img });
  fs.cpSync(path.join(__dirname, '../golden/bert_checkpoint'), init, { recursive: true });
  const pieces = ['[PAD]', '[UNK]', 'more', 'than', 'one', '[CLS]', '[SEP]', '1', '##2'];
  fs.writeFileSync(path.join(init, 'vocab.txt'), pieces.join('\n') + '\n');

  const small = { width: 8, depth: 1, num_heads: 2, mlp_dim: 16, patch_size: '[4,4]' };
  const bert = { hidden_size: 8, intermediate_dim: 16, num_hidden_layers: 2, num_attention_heads: 2, vocab_size: 20, max_length: 9 }; // prettier-ignore
  const workdir = await train(
    `configs/proj/image_text/siglip_lit_coco.ts:res=8,token_len=7,img_init=${init}/vit.npz,txt_init=${init}`,
    {
      ...Object.fromEntries(Object.entries(small).map(([key, value]) => [`model.image.${key}`, `${value}`])),
      ...Object.fromEntries(Object.entries(bert).map(([key, value]) => [`model.text.${key}`, `${value}`])),
      'model.out_dim': '[null,8]',
      schedule: JSON.stringify([
        ['img/.*', null],
        ['.*', { decay_type: 'cosine', warmup_steps: 2 }],
      ]),
    },
  );
  const trained = await openCheckpoint(workdir);
  for (const [name, array] of namedLeaves<HostArray>(img))
    expect([name, await trained.read(`params/img/${name}`)]).toEqual([name, array]);
  await trained.close();
});

test('train_clippo', async () => {
  const small = { variant: 'mu/16', width: 8, depth: 1, num_heads: 2, mlp_dim: 16 };
  await train('configs/proj/clippo/train_clippo.ts:res=32', {
    ...Object.fromEntries(Object.entries(small).map(([key, value]) => [`model.image.${key}`, `${value}`])),
    'model.out_dim': '8',
    'schedule.warmup_steps': '2',
    'schedule.cooldown_steps': '1',
    model_init: 'null',
    'evals.fewshot': 'null',
  });
});
