// Runs recorded cases of two towers whose loss is one of pairs.

import { modelRunner, type ScalarOf } from '../../core/parity/kinds/model';
import type { ParityRunner } from '../../core/parity/case';
import type * as tf from '../../core/tensor';
import { bidirectionalContrastiveLoss, siglipLoss } from '../../plugins/losses';

type Pair = readonly [zimg: tf.Tensor, ztxt: tf.Tensor];
type Scalars = Readonly<Record<'t' | 'b', tf.Tensor>>;

const losses: Readonly<Record<string, ScalarOf>> = {
  bidirectional_contrastive: ({ output, out }) => {
    const [zimg, ztxt] = output as Pair;
    return bidirectionalContrastiveLoss({ zimg, ztxt, t: (out as Scalars).t }, { reduction: true }).loss;
  },
  siglip: ({ output, out }) => {
    const [zimg, ztxt] = output as Pair;
    return siglipLoss({ zimg, ztxt, t: (out as Scalars).t, b: (out as Scalars).b });
  },
};

export const pairRunners: Readonly<Record<string, ParityRunner>> = {
  'model proj/image_text/two_towers': modelRunner({ losses }),
};
