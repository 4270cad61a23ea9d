// Runs recorded cases of two towers whose loss is one of pairs.

import type { ParityRunner } from '../../core/parity/case';
import { modelRunner, type ScalarOf } from '../../core/parity/kinds/model';
import { pairLosses, pairs } from './losses';

const losses: Readonly<Record<string, ScalarOf>> = {
  bidirectional_contrastive: (result) => pairLosses.softmax(pairs(result)),
  siglip: (result) => pairLosses.sigmoid(pairs(result)),
};

export const pairRunners: Readonly<Record<string, ParityRunner>> = {
  'model proj/image_text/two_towers': modelRunner({ losses }),
};
