// UViM (arXiv:2205.10337), stage II for depth.
//
//   bv train --config configs/proj/uvim/train_nyu_depth_pretrained.ts:singlehost --workdir DIR \
//     --config.uvim.oracle.model_init=FILE.npz --config.model_init.encoder=FILE.npz
//
// Nothing is downloaded: the checkpoints of stage I and of the encoder have to be there.

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { losses, res, stage2, stage2Args } from './common';
import { depthParts, depthRange } from './vqvae_nyu_depth';

const name = 'nyu_depth_v2';

export default function config(text = ''): ConfigInput {
  const { runlocal, singlehost } = parseArg(text, stage2Args);
  const context = `resize(${res})|resize(${res},inkey="image",outkey="image_ctx")|`;
  const labels = `resize(${res},key="labels",method="nearest")|`;
  const range = 'value_range(-1,1)|value_range(-1,1,inkey="image_ctx",outkey="image_ctx")|';
  const end = `${context}${labels}${range}keep("image","image_ctx","labels")`;
  const stage = stage2({
    parts: depthParts,
    task: { task: 'depth', ...depthRange },
    model_init: runlocal ? '/tmp/checkpoint.npz' : 'gs://big_vision/uvim/depth_stageI_params.npz',
    total_epochs: singlehost ? 20 : 50,
  });
  return {
    ...stage,
    model: { ...stage.model, zero_decoder_seq: false },
    ...(runlocal && { model_init: { encoder: '/tmp/enc_checkpoint.npz' } }),
    optax: { beta2_cap: 0.95, clipping_threshold: null },
    input: {
      data: { name, split: 'train' },
      pp: `decode|nyu_depth|randu("fliplr")|det_fliplr(key="image")|det_fliplr(key="labels")|inception_box|crop_box(key="image")|crop_box(key="labels")|${end}`,
      batch_size: singlehost ? 32 : runlocal ? 1 : 512,
    },
    evals: runlocal
      ? {}
      : {
          val: losses({ name, split: 'validation' }, `decode|nyu_depth|nyu_eval_crop|${end}`, 1000),
          nyu_depth_val: {
            type: 'proj.uvim.nyu_depth',
            data: { name, split: 'validation' },
            pp_fn: `decode|nyu_depth|nyu_eval_crop|copy("labels","ground_truth")|${context}${range}keep("image","image_ctx","ground_truth")`,
            log_steps: 2000,
            ...depthRange,
          },
        },
  };
}
