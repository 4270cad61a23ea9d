// Contrastive loss and accuracy within batches: to watch a run, not to compare runs, since both depend on the batch size.

import type { Batch, Evaluator, EvaluatorContext } from '../../../core/extensions';
import { z } from 'zod';
import type * as tf from '../../../core/tensor';
import { meanOfExamples, passOptions, type PassServices } from '../../../plugins/evaluators';
import { bidirectionalContrastiveLoss } from '../../../plugins/losses';

export const contrastiveSchema = z.strictObject({
  ...passOptions,
  use_global_batch: z
    .literal(true)
    .default(true)
    .describe('pairs are those of the whole batch, whatever the number of devices'),
});
export type ContrastiveOptions = z.output<typeof contrastiveSchema>;

/** "ncorrect_minibatch" and "loss", means over the pairs that the mask counts. */
export function contrastive(
  options: ContrastiveOptions,
  context: EvaluatorContext,
  services: PassServices,
): Promise<Evaluator> {
  return meanOfExamples(options, context, services, (params, batch: Batch) => {
    const { _mask: mask, ...rest } = batch;
    const { output, out } = context.predict(params, rest);
    const [zimg, ztxt] = output as readonly [tf.Tensor, tf.Tensor];
    const { t } = out as { t: tf.Tensor };
    const { loss, ncorrect } = bidirectionalContrastiveLoss({ zimg, ztxt, t, mask });
    return { ncorrect_minibatch: ncorrect, loss };
  });
}
