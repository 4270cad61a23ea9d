// One small ViT for patches of 14, 9, 7, 5 and 4 pixels of handwritten digits. With `fixed=4` it sees 4 x 4 patches only, and is
// evaluated at all sizes still: what FlexiViT is to be compared with.

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import vitMnist from '../../vit_mnist';

const sizes = [2, 3, 4, 5, 7];

export default function config(text = ''): ConfigInput {
  const { epochs, fixed } = parseArg(text, { epochs: 15, fixed: 0 });
  const { evals, ...rest } = vitMnist(`epochs=${epochs}`);
  const test = { type: 'classification', ...evals?.test };
  return {
    ...rest,
    header: {
      command: 'npx bv train --config configs/proj/flexivit/vit_mnist_flexi.ts',
      hardware: '2 CPU cores, busy with other work too',
      minutes: 6.5,
      expect: fixed === 0 ? { 'test_4/prec@1': 0.88, 'test_2/prec@1': 0.8 } : undefined,
      paper: 'arXiv:2212.08013',
    },
    model_name: 'proj.flexi.vit',
    model: {
      patch_size: [7, 7],
      posemb_size: [4, 4],
      width: 48,
      depth: 3,
      mlp_dim: 96,
      num_heads: 3,
      pool_type: 'gap',
    },
    flexi: { seqhw: { v: sizes, p: fixed === 0 ? null : sizes.map((size) => Number(size === fixed)) } },
    evals: Object.fromEntries(
      sizes.map((size) => [`test_${size}`, { ...test, pred: `predict_seqhw=${size}`, log_epochs: 5 }]),
    ),
  };
}
