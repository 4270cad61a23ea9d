// Runs recorded cases of losses of pairs, and of labels.

import type { Batch } from '../../core/extensions';
import type { ParityCase, ParityRunner, ParityServices } from '../../core/parity/case';
import { gradientsOfSum } from '../../core/parity/kinds/loss';
import { fetchAll, sendAll } from '../../core/parity/tensors';
import * as tf from '../../core/tensor';
import { bidirectionalContrastiveLoss, type ContrastiveInputs } from './contrastive';
import { distance, type DistanceOptions } from './distance';
import { siglipLoss, type SiglipInputs } from './siglip';

/** Op by op, as the cases were recorded: a program is rounded elsewhere, which a large temperature magnifies. */
async function byOp(
  { inputs }: ParityCase,
  { runtime }: ParityServices,
  f: (batch: Batch) => Readonly<Record<string, tf.Tensor>>,
) {
  return fetchAll(runtime, f(sendAll(runtime, Object.fromEntries(inputs)) as Batch));
}

export const lossRunners: Readonly<Record<string, ParityRunner>> = {
  'loss bidirectional_contrastive_loss': (recorded, services) =>
    byOp(recorded, services, (batch) => {
      const { reduction = false } = recorded.args as { reduction?: boolean };
      const of = (given: Batch) =>
        bidirectionalContrastiveLoss(given as unknown as ContrastiveInputs, { reduction });
      return { ...of(batch), ...gradientsOfSum((given) => of(given).loss, batch, recorded.wanted) };
    }),

  'loss siglip': (recorded, services) =>
    byOp(recorded, services, (batch) => {
      const of = (given: Batch) => siglipLoss(given as unknown as SiglipInputs);
      return { loss: of(batch), ...gradientsOfSum(of, batch, recorded.wanted) };
    }),

  'loss onehot': (recorded, services) =>
    byOp(recorded, services, ({ labels }) => {
      const { num_classes, on_value = 1, off_value = 0 } = recorded.args as Record<string, number>;
      const given = labels as tf.Tensor;
      // A single label counts as a list of one.
      const listed = given.rank === 0 ? tf.expandDims(given, 0) : given;
      return { output: tf.oneHot(listed, num_classes as number, on_value, off_value, 'float32') };
    }),

  'loss distill/dist': (recorded, services) =>
    byOp(recorded, services, (batch) => {
      const of = ({ student, teacher }: Batch) =>
        distance(student as tf.Tensor, teacher as tf.Tensor, recorded.args as unknown as DistanceOptions);
      return { output: of(batch), ...gradientsOfSum(of, batch, recorded.wanted) };
    }),
};
