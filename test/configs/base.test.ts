// Configs against the original's trees (test/golden/make_configs.py), and one of them in a run.

import * as fs from 'node:fs';
import * as path from 'node:path';
import sharp from 'sharp';
import { findConfig, loadConfig } from '../../core/config/load';
import { resolveConfig } from '../../core/config/resolve';
import { openSession } from '../../core/workspace/session';
import { bv } from '../support/cli';
import { distillAsOurs } from '../support/original-distill';
import { gsamAsOurs } from '../support/original-gsam';
import { temporaryFolder } from '../support/temporary';

const root = path.resolve(__dirname, '../..');
const golden = path.join(root, 'test/golden/configs');

type Tree = { [key: string]: unknown };

const isTree = (value: unknown): value is Tree =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Keys that say how the original's input pipeline works, or its config functions: nothing here has a use for them. */
const leftOut: readonly RegExp[] = [
  /^input\.(shuffle_buffer_size|cache|cache_raw)$/,
  /^evals\.\w+\.(cache|cache_final)$/,
  /^(pp_modules|prefetch_to_device|ckpt_timeout)$/,
  // A function in the original, for its mixup alone.
  /^mixup\.fold_in$/,
  // A model here is initialised from a batch; the loss is that of the whole batch on any number of devices.
  /^(init_shapes|init_types|loss_use_global_batch)$/,
  // What its load_and_eval got as arguments.
  /^(name|batch_size)$/,
  // Beside `evals`, where its trainer doesn't look.
  /^fewshot$/,
  // What its config functions keep of their arguments, and what no code reads.
  /^(runlocal|mode|res|variant|warmup_steps|aggressive_cache|optim_name|mixup\.n)$/,
  // CapPa's, in its key here.
  /^label_smoothing$/,
];

/** Evaluators that its configs name, and that were never released. */
const unreleased = ['proj.distill.cka', 'classification_with_labelmap'];

/** The original's tree without what has no place here; null and "" there are what is left out here. */
function expected(tree: Tree, at = ''): Tree {
  return Object.fromEntries(
    Object.entries(tree).flatMap(([key, value]) => {
      const where = at === '' ? key : `${at}.${key}`;
      if (leftOut.some((pattern) => pattern.test(where)) || value === null) return [];
      if (where === 'model_init' && value === '') return [];
      if (unreleased.includes((value as Tree)['type'] as string)) return [];
      if (where === 'input.data' && (value as Tree)['name'] === 'bv:dummy') {
        return [[key, { name: 'zeros', features: (value as Tree)['spec'] }]];
      }
      return [
        [key, where.startsWith('evals') || !isTree(value) ? cleaned(value, where) : expected(value, where)],
      ];
    }),
  );
}

function cleaned(value: unknown, where: string): unknown {
  // Empty sections of a call string count for nothing; a duplicate separator isn't a difference.
  if (typeof value === 'string') return value.replace(/\|+/g, '|');
  return isTree(value) ? expected(value, where) : value;
}

const { registry, plugins } = openSession(root);
const context = { registry, plugins: plugins.map(({ plugin }) => plugin) };
const load = async (name: string, arg: string) => loadConfig(findConfig(`configs/${name}.ts:${arg}`, [root]));

for (const file of fs.readdirSync(golden, { recursive: true, encoding: 'utf8' })) {
  if (!file.endsWith('.json')) continue;
  const name = file.slice(0, -'.json'.length);
  const trees = JSON.parse(fs.readFileSync(path.join(golden, file), 'utf8')) as Record<string, Tree>;
  it.each(Object.entries(trees))(`${name} is the original's, with the argument "%s"`, async (arg, tree) => {
    const config = await load(name, arg);
    // What is a trainer of its own in the original is a plugin's key here.
    const { image_text: _, jet: __, cappa: ___, ...stock } = config;
    expect(stock).toEqual(expected(gsamAsOurs(distillAsOurs(tree))));
    expect(() => resolveConfig(config, [], context)).not.toThrow();
  });
}

it.each([
  ['transfer', '', /"model" is "vit".*no settings/],
  ['transfer', 'model=vit-s16,dataset=cifar11', /Did you mean "cifar10"/],
  ['vit_i1k', 'variant=B/15', /"variant" is "B\/15".*no settings/],
  ['vit_i1k', 'aug=light3', /Did you mean "light[12]"/],
  ['mlp_mixer_i1k', 'gpu9', /Did you mean "gpu8"/],
  ['vit_s16_i1k', 'runlocal', /Unknown argument/],
])('%s:%s is an error that says what there is', async (name, arg, message) => {
  await expect(load(name, arg)).rejects.toThrow(message);
});

it('explains vit_s16_i1k without its data', async () => {
  const { code, stdout } = await bv(['explain', 'configs/vit_s16_i1k.ts']);
  expect(code).toBe(0);
  expect(stdout).toContain('imagenet2012');
});

it('trains vit_s16_i1k for ten steps on folders of JPEGs', async () => {
  const data = temporaryFolder();
  for (const folder of ['imagenet2012/train', 'imagenet2012/validation', 'imagenet_v2/test']) {
    for (const label of [0, 1]) await makeImages(path.join(data, folder, `n0${label}`), label, 30);
  }
  fs.mkdirSync(path.join(data, 'imagenet2012_real'));
  const real = Array.from({ length: 30 }, (_, i) => (i % 2 ? [i] : [0, i]));
  fs.writeFileSync(path.join(data, 'imagenet2012_real/real.json'), JSON.stringify(real));

  const workdir = path.join(temporaryFolder(), 'run');
  const small = [
    ['total_epochs', 'null'],
    ['total_steps', '10'],
    ['schedule.warmup_steps', '2'],
    ['input.batch_size', '4'],
    ['log_training_steps', '1'],
    ...Object.entries({
      variant: 'mu/56',
      width: 16,
      depth: 1,
      mlp_dim: 32,
      num_heads: 2,
    }).map(([key, value]) => [`model.${key}`, String(value)]),
    ...['train', 'minival', 'val', 'v2', 'real'].map((name) => [`evals.${name}.log_steps`, '10']),
  ];
  const args = small.map(([key, value]) => `--config.${key}=${value}`);
  const { code, stderr } = await bv(
    ['train', '--config', 'configs/vit_s16_i1k.ts', '--workdir', workdir, ...args],
    {
      env: { BV_DATA_DIR: data },
    },
  );
  expect([code, code === 0 ? '' : stderr]).toEqual([0, '']);
  const rows = fs
    .readFileSync(path.join(workdir, 'big_vision_metrics.txt'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, number>);
  const last = Object.assign({}, ...rows) as Record<string, number>;
  expect(last['step']).toBe(10);
  expect(Number.isFinite(last['training_loss'])).toBe(true);
  for (const name of ['val', 'v2', 'real']) expect(Number.isFinite(last[`${name}/loss`])).toBe(true);
});

async function makeImages(folder: string, label: number, count: number): Promise<void> {
  fs.mkdirSync(folder, { recursive: true });
  for (let i = 0; i < count; i++) {
    const background = { r: 255 * label, g: 8 * i, b: 90 };
    const name = `ILSVRC2012_val_${String(i + 1).padStart(8, '0')}.JPEG`;
    await sharp({ create: { width: 64, height: 48, channels: 3, background } })
      .jpeg()
      .toFile(path.join(folder, name));
  }
}
