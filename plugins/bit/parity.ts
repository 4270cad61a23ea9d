// Runs recorded cases of the conversion of released checkpoints.

import type { HostArray } from '../../core/array';
import type { ParityRunner } from '../../core/parity/case';
import { arraysUnder } from '../../core/parity/read';
import { namedLeaves, type Tree } from '../../core/tree';
import { fromBigTransfer } from './checkpoint';

export const bitRunners: Readonly<Record<string, ParityRunner>> = {
  'model bit_paper:maybe_convert_big_transfer_format': async ({ inputs }) => {
    const converted = fromBigTransfer(arraysUnder(inputs, 'params'));
    const leaves = namedLeaves<HostArray>(converted as Tree<HostArray>);
    return new Map(leaves.map(([name, array]) => [`params/${name}`, array]));
  },
};
