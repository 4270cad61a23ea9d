// The main job with SAM alone (arXiv:2010.01412): GSAM without its surrogate gap, and with a constant rho.

import type { ConfigInput } from '../../../core/config/schema';
import vitMnistGsam from './vit_mnist_gsam';

export default function config(text = ''): ConfigInput {
  const { header: _, ...rest } = vitMnistGsam([text, 'sam'].filter(Boolean).join(','));
  return {
    ...rest,
    header: {
      command: 'npx bv train --config configs/proj/gsam/vit_mnist_sam.ts',
      hardware: '2 CPU cores, busy with other work too',
      minutes: 13,
      expect: { 'test/prec@1': 0.975 },
      paper: 'arXiv:2010.01412',
    },
  };
}
