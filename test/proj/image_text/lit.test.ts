// LiT (arXiv:2111.07991): an image tower from a checkpoint that training leaves as it is, bit for bit.

import * as path from 'node:path';
import { bytesOf, type HostArray } from '../../../core/array';
import { saveNpz } from '../../../core/checkpoint/npz';
import { nest } from '../../../core/tree';
import { XlaRuntime } from '../../../plugins/xla';
import { type GoldenCase, readCase } from '../../support/golden';
import { temporaryFolder } from '../../support/temporary';
import { trainCase } from '../../support/train';

let runtime: XlaRuntime;
let golden: GoldenCase;
let file: string;
let trained: ReadonlyMap<string, HostArray>;

beforeAll(async () => {
  runtime = await XlaRuntime.create({ platform: 'cpu' });
  golden = await readCase('train_siglip_all');
  // A checkpoint of both towers, each with a head, after training.
  trained = await trainCase(runtime, withOptions({}));
  const named = [...trained].filter(([name]) => name.startsWith('params/'));
  file = path.join(temporaryFolder(), 'towers.npz');
  await saveNpz(file, nest(named));
});
afterAll(() => runtime.dispose());

function withOptions(options: Record<string, unknown>, model: object = {}): GoldenCase {
  const config = golden.args.config as { model: object };
  const changed = { ...config, seed: 5, ...options, model: { ...config.model, ...model } };
  return { ...golden, args: { config: { ...changed, image_text: {} } } };
}

const digest = (array: HostArray | undefined) => Buffer.from(bytesOf(array as HostArray)).toString('hex');
const names = (part: RegExp) => [...trained.keys()].filter((name) => part.test(name));
const cosine = { decay_type: 'cosine', warmup_steps: 2 };

test.each([
  // The text tower has to come to the space of the image tower, whose output it is.
  ['without a head', [null, 8], [['img/.*', null]], /^$/],
  ['with its own head, as trained', 6, [['img/.*', null]], /img\/head/],
  [
    'with a new head that learns',
    6,
    [
      ['img/head/.*', cosine],
      ['img/.*', null],
    ],
    /^$/,
  ],
] as const)('a locked image tower, %s', async (_, out_dim, schedule, loadedHead) => {
  const got = await trainCase(
    runtime,
    withOptions(
      {
        model_init: { image: `${file}:img` },
        model_load: { img_load_kw: { dont_load: loadedHead.source === '^$' ? ['head/.*'] : [] } },
        schedule: [...schedule, ['.*', cosine]],
      },
      { out_dim },
    ),
  );
  const locked = names(/params\/img\/(?!head)/);
  expect(locked.length).toBeGreaterThan(15);
  for (const name of [...locked, ...names(loadedHead)])
    expect([name, digest(got.get(name))]).toEqual([name, digest(trained.get(name))]);

  // Biases begin as zeros, and the others at their options.
  const learns = ['txt/head/bias', ...(schedule.length > 1 ? ['img/head/bias'] : [])];
  for (const name of learns) expect(got.get(`params/${name}`)?.data).not.toContain(0);
  expect(got.get('params/t')?.data[0]).not.toBe(Math.fround(Math.log(10)));
  expect(got.get('params/b')?.data[0]).not.toBe(Math.fround(-2.71));
  expect(got.has('params/img/head/bias')).toBe(out_dim === 6);
});
