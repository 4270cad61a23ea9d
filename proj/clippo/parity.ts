// Runs recorded cases of one tower whose loss is that of pairs.

import type { ParityRunner } from '../../core/parity/case';
import { modelRunner, type ScalarOf } from '../../core/parity/kinds/model';
import type * as tf from '../../core/tensor';
import { bidirectionalContrastiveLoss } from '../../plugins/losses';

const bidirectional_contrastive: ScalarOf = ({ output, out }) => {
  const [zimg, ztxt] = output as readonly [tf.Tensor, tf.Tensor];
  const { t } = out as { readonly t: tf.Tensor };
  return bidirectionalContrastiveLoss({ zimg, ztxt, t }, { reduction: true }).loss;
};

export const towerRunners: Readonly<Record<string, ParityRunner>> = {
  'model proj/clippo/one_tower': modelRunner({ losses: { bidirectional_contrastive } }),
};
