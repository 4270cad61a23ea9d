// Runs recorded cases of FlexiViT's functions.

import type { HostArray } from '../../core/array';
import type { ParityRunner } from '../../core/parity/case';
import { resamplePatchembOnHost } from './resample';

export const flexiRunners: Readonly<Record<string, ParityRunner>> = {
  'model proj/flexi/vit:resample_patchemb': async ({ args, inputs }) => {
    const old = inputs.get('old') as HostArray;
    return new Map([['output', resamplePatchembOnHost(old, args.new_hw as [number, number])]]);
  },
};
