// UViM (arXiv:2205.10337), stage I for depth.
//
//   bv train --config configs/proj/uvim/vqvae_nyu_depth.ts:singlehost --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { losses, stage1, stage1Args } from './common';

/** Bins. */
export const depthParts = { depth: 256 };
/** In metres; depths outside of it are not evaluated. */
export const depthRange = { min_depth: 0.001, max_depth: 10 };

const name = 'nyu_depth_v2';

export default function config(text = ''): ConfigInput {
  const { res, patch_size, runlocal, singlehost } = parseArg(text, stage1Args);
  const sizes = `resize(${res})|resize(${res},key="labels",method="nearest")|value_range(-1, 1)|`;
  return {
    ...stage1({
      parts: depthParts,
      res,
      patch_size,
      uvim: { task: 'depth', ...depthRange },
      lr: 1e-3,
      wd: 1e-5,
      total_epochs: singlehost ? 50 : 200,
      runlocal,
    }),
    input: {
      data: { name, split: 'train' },
      pp: `decode|nyu_depth|randu("fliplr")|det_fliplr(key="image")|det_fliplr(key="labels")|inception_box|crop_box(key="image")|crop_box(key="labels")|${sizes}keep("image","labels")`,
      batch_size: singlehost ? 128 : runlocal ? 16 : 1024,
    },
    evals: {
      val: losses(
        { name, split: runlocal ? 'validation[:16]' : 'validation' },
        `decode|nyu_depth|nyu_eval_crop|${sizes}keep("image","labels")`,
        runlocal ? 20 : 250,
      ),
      nyu_depth_val: {
        type: 'proj.uvim.nyu_depth',
        data: { name, split: 'validation' },
        pp_fn: `decode|nyu_depth|nyu_eval_crop|copy("labels","ground_truth")|${sizes}keep("image","labels","ground_truth")`,
        log_steps: 2000,
        ...depthRange,
      },
    },
  };
}
