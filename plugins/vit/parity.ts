// Runs recorded cases of the ViT's functions.

import { type HostArray, hostArray } from '../../core/array';
import type { ParamArrays } from '../../core/extensions';
import type { ParityRunner } from '../../core/parity/case';
import { arraysUnder } from '../../core/parity/read';
import { fetchAll } from '../../core/parity/tensors';
import { namedLeaves, type Tree } from '../../core/tree';
import { fixOldCheckpoints, pyloopToScan, scanToPyloop } from './checkpoint';
import { decodeVariant } from './variants';
import { posembSincos2d, resamplePosemb } from './posemb';

const onParams =
  (change: (params: ParamArrays) => ParamArrays): ParityRunner =>
  async ({ inputs }) => {
    const changed = change(arraysUnder(inputs, 'params'));
    const leaves = namedLeaves<HostArray>(changed as Tree<HostArray>);
    return new Map(leaves.map(([name, array]) => [`params/${name}`, array]));
  };

export const vitRunners: Readonly<Record<string, ParityRunner>> = {
  'model vit:fix_old_checkpoints': onParams(fixOldCheckpoints),
  'model vit:pyloop_to_scan': onParams(pyloopToScan),
  'model vit:scan_to_pyloop': onParams(scanToPyloop),

  // A column for each size of the variants, which are one after the other.
  'model vit:decode_variant': async ({ args, wanted }) => {
    const variants = (args.variants as string[]).map((name) => decodeVariant(name));
    const columns = [...wanted.keys()].map((size) => {
      const values = variants.map((variant) => variant?.[size as 'width'] as number);
      return [size, hostArray('int32', [values.length], values)] as const;
    });
    return new Map(columns);
  },

  'model vit:resample_posemb': async ({ args, inputs }) => {
    const old = inputs.get('old') as HostArray;
    const shape = [1, args.new_len as number, old.shape[2] as number];
    return new Map([['output', resamplePosemb(old, shape)]]);
  },

  'model vit:posemb_sincos_2d': async ({ args }, { runtime }) => {
    const { h, w, width, temperature } = args as Record<string, number>;
    const f = () => ({ output: posembSincos2d([h as number, w as number], width as number, temperature) });
    return fetchAll(runtime, runtime.jit(f, { name: 'parity posemb_sincos_2d' })());
  },
};
