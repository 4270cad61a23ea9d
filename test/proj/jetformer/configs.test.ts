// The original's configs of JetFormer against its trees (test/golden/make_jetformer_configs.py).

import { testOriginalConfigs, type Tree } from '../../support/original-configs';

/** What the original's trainer reads is in the plugin's key. */
const ofTraining = [
  ['latent_noise_dim', 'input_noise_std', 'noise_scale', 'noise_min', 'rgb_noise_on_image_prefix'],
  ['text_prefix_prob', 'loss_on_prefix', 'text_loss_weight', 'stop_grad_nvp_prefix', 'sample_images'],
].flat();
/** What steers the input pipeline, or nothing: ema_decay is 0, and model_init is empty. */
const unread = ['ckpt_timeout', 'ema_decay', 'keep_ckpt_steps', 'pp_modules', 'model_init'];
/** The arguments, which the original keeps in its tree. */
const named = [
  ['res', 'patch_size', 'model_size', 'total_epochs', 'text_len', 'use_adaptor', 'depth_to_seq', 'use_boi'],
  ['runlocal', 'num_replicas', 'num_slices', 'ignore_pad'],
].flat();

function asOurs(tree: Tree): Tree {
  const { patch_pca, adaptor, adaptor_name, input, total_epochs } = tree as Record<string, Tree>;
  const { shuffle_buffer_size: _, ...data } = input as Tree;
  const moved = new Set([...ofTraining, ...unread, ...named, 'patch_pca', 'adaptor', 'adaptor_name']);
  const kept = Object.entries(tree).filter(([key]) => !moved.has(key));
  return {
    ...Object.fromEntries(kept),
    ...(total_epochs !== undefined && { total_epochs }),
    input: data,
    jetformer: {
      ...Object.fromEntries(Object.entries(tree).filter(([key]) => ofTraining.includes(key))),
      patch_pca: patch_pca!.model,
      // Where there is none the original gives options all the same.
      adaptor: (adaptor_name as unknown) === '' ? null : adaptor!.model,
    },
  };
}

testOriginalConfigs('jetformer_configs.json', 'configs/proj/jetformer', asOurs);
