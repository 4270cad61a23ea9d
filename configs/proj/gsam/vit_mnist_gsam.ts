// The main job with GSAM: the same model, data and schedule, and gradients that lead to flat minima.

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import vitMnist from '../../vit_mnist';

export default function config(text = ''): ConfigInput {
  const { epochs, batch_size, sam } = parseArg(text, { epochs: 30, batch_size: 128, sam: false });
  return {
    ...vitMnist(`epochs=${epochs},batch_size=${batch_size}`),
    header: {
      command: 'npx bv train --config configs/proj/gsam/vit_mnist_gsam.ts',
      // A step takes two gradients, so it costs about twice as much as the main job's.
      hardware: '2 CPU cores, busy with other work too',
      minutes: 13.5,
      expect: { 'test/prec@1': 0.975 },
      paper: 'arXiv:2203.08065',
    },
    gsam: sam ? { rho_max: 0.05, rho_min: 0.05, alpha: 0 } : { rho_max: 0.05, rho_min: 0.01, alpha: 0.1 },
  };
}
