// The original's configs of PaliGemma's transfers against its trees (test/golden/make_paligemma_configs.py).

import { testOriginalConfigs, type Tree } from '../../support/original-configs';

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

testOriginalConfigs(
  'paligemma_configs.json.gz',
  'configs/proj/paligemma/transfers',
  (tree) => plain(asOurs(tree)),
  (config) => plain(withDefaults(config)),
);
