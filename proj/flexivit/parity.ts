// Runs recorded cases of FlexiViT's functions.

import { type HostArray, hostArray } from '../../core/array';
import type { ParityRunner } from '../../core/parity/case';
import { resamplePatchembOnHost } from './resample';

export const flexiRunners: Readonly<Record<string, ParityRunner>> = {
  'model proj/flexi/vit:resample_patchemb': async ({ args, inputs }) => {
    const old = inputs.get('old') as HostArray;
    const output = resamplePatchembOnHost(old, args.new_hw as [number, number]);
    const resized = inputs.get('patches_resized');
    return new Map([
      ['output', output],
      ...(resized ? [['embeddings', embed(resized, output)] as const] : []),
    ]);
  },
};

/** patches: [n, ...size]; kernel: [...size, width]. Larger patches under the larger kernel embed as the small ones did. */
function embed(patches: HostArray, kernel: HostArray): HostArray {
  const [n, width] = [patches.shape[0] as number, kernel.shape.at(-1) as number];
  const size = patches.data.length / n;
  const values = Array.from({ length: n * width }, (_, at) => {
    const [patch, column] = [Math.floor(at / width), at % width];
    let sum = 0;
    for (let i = 0; i < size; i++)
      sum += Number(patches.data[patch * size + i]) * Number(kernel.data[i * width + column]);
    return sum;
  });
  return hostArray('float32', [n, width], values);
}
