// The original's configs of GIVT against its trees (test/golden/make_givt_configs.py).

import { testOriginalConfigs, type Tree } from '../../support/original-configs';

const without = (tree: Tree, ...keys: string[]) =>
  Object.fromEntries(Object.entries(tree).filter(([key, value]) => !keys.includes(key) && value !== null));
const only = (tree: Tree, ...keys: string[]) =>
  Object.fromEntries(Object.entries(tree).filter(([key]) => keys.includes(key)));

/** The evaluator of panoptic quality has its data set in the original. */
const named = ({ data, ...rest }: Tree): Tree => ({
  ...rest,
  data: { ...(rest.type === 'proj.givt.coco_panoptic' && { name: 'coco/2017_panoptic' }), ...(data as Tree) },
});

/** What the two trainers read is in the plugin's key; what steers the input pipeline, or nothing, is nowhere. */
function asOurs(tree: Tree): Tree {
  const { num_epochs, vae, adaptor, adaptor_name, model, model_init } = tree as Record<string, Tree> & {
    num_epochs?: number;
  };
  const stage1 = ['rec_loss_fn', 'beta', 'mask_zero_target', 'min_depth', 'max_depth'];
  const stage2 = ['ar_generation_config', 'masked_generation_config', 'min_depth', 'max_depth'];
  const unread = ['beta_percept', 'eval_only', 'prefetch_to_device', 'ckpt_timeout', 'num_epochs'];
  const drawn = { model_name: vae?.model_name, model: vae?.model, model_init: vae?.model_init };
  const givt = vae
    ? {
        stage: 2,
        vae: drawn,
        ...only(tree, ...stage2),
        // Where there is none the original gives options all the same.
        ...(adaptor && { adaptor: (adaptor_name as unknown) === '' ? null : adaptor.model }),
      }
    : { stage: 1, ...only(tree, ...stage1) };
  return {
    ...without(tree, ...unread, ...stage1, ...stage2, 'vae', 'adaptor', 'adaptor_name', 'model_init'),
    ...(model_init ? { model_init } : {}),
    // The original means this by num_epochs, which it doesn't read.
    ...(num_epochs !== undefined && { total_epochs: num_epochs }),
    evals: Object.fromEntries(
      Object.entries(tree.evals as Record<string, Tree>).map(([key, value]) => [key, named(value)]),
    ),
    input: without(tree.input as Tree, 'shuffle_buffer_size'),
    model,
    givt,
  };
}

testOriginalConfigs('givt_configs.json', 'configs/proj/givt', asOurs);
