// The main job with GSAM: the same model, data and schedule, and gradients that seek flat minima.

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import vitMnist from '../../vit_mnist';

export default function config(text = ''): ConfigInput {
  const { epochs, batch_size, sam } = parseArg(text, { epochs: 10, batch_size: 128, sam: false });
  return {
    ...vitMnist(`epochs=${epochs},batch_size=${batch_size}`),
    // A step takes two gradients, so it costs about twice as much.
    gsam: sam ? { rho_max: 0.1, rho_min: 0.1, alpha: 0 } : { rho_max: 0.2, rho_min: 0.05, alpha: 0.4 },
  };
}
