// The run that is compared: the first 200 steps of the main job with a schedule of their own, everything recorded on the way.

import type { ConfigInput } from '../../core/config/schema';
import digits from '../../configs/vit_mnist';

export default function config(folder: string): ConfigInput {
  const job = digits();
  return {
    ...job,
    header: undefined,
    total_epochs: undefined,
    total_steps: 200,
    schedule: { decay_type: 'cosine', warmup_steps: 20 },
    log_training_steps: 1,
    ckpt_epochs: undefined,
    evals: { test: { ...job.evals?.test, skip_first: false, log_epochs: undefined, log_steps: 50 } },
    record: { folder },
  };
}
