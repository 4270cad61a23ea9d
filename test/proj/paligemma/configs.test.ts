// The original's configs of PaliGemma's transfers against its trees (test/golden/make_paligemma_configs.py).

import * as fs from 'node:fs';
import * as path from 'node:path';
import { gunzipSync } from 'node:zlib';
import { findConfig, loadConfig } from '../../../core/config/load';
import { resolveConfig } from '../../../core/config/resolve';
import { openSession } from '../../../core/workspace/session';

const root = path.resolve(__dirname, '../../..');
type Tree = { readonly [key: string]: unknown };
type Trees = Readonly<Record<string, Readonly<Record<string, Tree>>>>;
const file = path.join(root, 'test/golden/paligemma_configs.json.gz');
const trees = JSON.parse(gunzipSync(fs.readFileSync(file)).toString()) as Trees;

const without = (tree: Tree, ...keys: string[]) =>
  Object.fromEntries(Object.entries(tree).filter(([key, value]) => !keys.includes(key) && value !== null));

/** What steers the original's input pipeline is nowhere here. */
const pipeline = ['shuffle_buffer_size', 'cache_raw', 'cache'];
const sourceAsOurs = (source: unknown) => (typeof (source as Tree).pp === 'string' ? without(source as Tree, ...pipeline) : source); // prettier-ignore

/** With a beam the original loses how long answers may be, and can't decode. */
function evaluatorAsOurs(entry: Tree): Tree {
  const { pred_kw, ...rest } = without(entry, ...pipeline);
  if (!pred_kw) return rest;
  return {
    ...rest,
    pred_kw: { ...(rest.pred === 'beam_decode' && { max_decode_len: 32 }), ...(pred_kw as Tree) },
  };
}

/** The arguments, and what is in the plugin's key. */
function asOurs(tree: Tree): Tree {
  const args = [
    'mode',
    'res',
    'final_split',
    'text_len',
    'prefix',
    'freeze_vit',
    'freeze_llm',
    'crop',
    'beam_size',
  ];
  const more = ['eval_xm3600', 'qfmt', 'afmt', 'size', 'batch_size', 'run_local', 'name', 'pp_modules'];
  const { label_smoothing, optax, input, evals, ...rest } = without(tree, ...args, ...more);
  return {
    ...rest,
    input: Object.fromEntries(
      Object.entries(without(input as Tree, ...pipeline)).map(([key, value]) => [key, sourceAsOurs(value)]),
    ),
    evals: Object.fromEntries(
      Object.entries(evals as Record<string, Tree>).map(([key, entry]) => [key, evaluatorAsOurs(entry)]),
    ),
    optax: optax ?? {},
    paligemma: { label_smoothing: label_smoothing ?? 0 },
  };
}

const withDefaults = (config: Tree) => ({
  evals: {},
  ...config,
  optax: config.optax ?? {},
  paligemma: { label_smoothing: 0, ...(config.paligemma as Tree) },
});

/** As JSON has it; an outkey isn't said where it is the default. */
const plain = (tree: Tree): unknown =>
  JSON.parse(JSON.stringify(tree).replaceAll(String.raw` outkey=\"text\",`, ''));

const { registry, plugins } = openSession(root);
const context = { registry, plugins: plugins.map(({ plugin }) => plugin) };

describe.each(Object.entries(trees))('%s', (name, byArgument) => {
  it.each(Object.entries(byArgument))('is the original\'s, with the argument "%s"', async (arg, tree) => {
    const config = await loadConfig(findConfig(`configs/proj/paligemma/transfers/${name}.ts:${arg}`, [root]));
    expect(plain(withDefaults(config))).toEqual(plain(asOurs(tree)));
    expect(() => resolveConfig(config, [], context)).not.toThrow();
  });
});
