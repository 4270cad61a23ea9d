// Parameters of ResNets from files: ours, those of older versions, and those that Big Transfer released.

import { HostArray } from '../../core/array';
import { loadErrors, loadParams, mergeParams } from '../../core/checkpoint/load-params';
import { catalogue } from '../../core/errors';
import type { ParamArrays } from '../../core/extensions';
import { mapNamed, namedLeaves, nest, type Tree } from '../../core/tree';
import { convertPreLinen } from '../layers';
import type { BitOptions } from './options';

const errors = catalogue('bit', {
  legacy: (v: { name: string }) => ({
    what: `The Big Transfer checkpoint has no "${v.name}".`,
    fix: 'download the file again; the released ones are gs://bit_models/BiT-M-R50x1.npz and the like.',
  }),
});

/** Names that match a pattern of `dont_load` keep their initial values. */
export async function loadBit(
  init: ParamArrays,
  file: string,
  dont_load?: readonly string[],
): Promise<ParamArrays> {
  return mergeParams(fixOldBit(await loadParams(file)), init, dont_load);
}

const norms = new Set(['gn_root', 'gn_proj', 'gn1', 'gn2', 'gn3']);

/** Old versions kept the parameters of norms as [1, 1, 1, channels]. */
export function fixOldBit(loaded: ParamArrays): ParamArrays {
  return mapNamed(convertPreLinen(loaded), (name, array: HostArray) => {
    if (!name.split('/').some((part) => norms.has(part))) return array;
    const { dtype, shape, data } = array;
    return new HostArray(
      dtype,
      shape.filter((dim) => dim !== 1),
      data,
    );
  });
}

/** Short names of distilled models (arXiv:2106.05237). */
const distilled: Readonly<Record<string, string>> = {
  'FunMatch-224px-i1k82.8': 'gs://bit_models/distill/R50x1_224.npz',
  'FunMatch-160px-i1k80.5': 'gs://bit_models/distill/R50x1_160.npz',
};

/**
 * The file that a short name stands for: `M` or `S` is a model as pre-trained, `M-imagenet2012` and `M-run0-caltech101`
 * are fine-tuned. Undefined for a path.
 */
export function releasedBit(name: string, { depth, width }: BitOptions): string | undefined {
  const [, up, down = ''] = /^([LMS])(-[\w-]+)?$/.exec(name) ?? [];
  if (up === undefined) return distilled[name];
  const downstream = down === '-imagenet2012' ? '-ILSVRC2012' : down;
  return `gs://bit_models/BiT-${up}-R${String(depth)}x${width}${downstream}.npz`;
}

export async function loadBitPaper(
  init: ParamArrays,
  file: string,
  options: BitOptions,
  dont_load?: readonly string[],
): Promise<ParamArrays> {
  const path = releasedBit(file, options);
  if (path !== undefined) throw loadErrors.bucket({ path });
  return mergeParams(fromBigTransfer(await loadParams(file)), init, dont_load);
}

/** Our names for the parameters of a file of Big Transfer's own code; other files as they are. */
export function fromBigTransfer(loaded: ParamArrays): ParamArrays {
  if (!('resnet' in loaded)) return loaded;
  // Some files number the convolutions of a unit.
  const plain = (name: string) => name.replace(/\/standardized_conv2d_\d+\//, '/standardized_conv2d/');
  const legacy = new Map(
    namedLeaves<HostArray>(loaded as Tree<HostArray>).map(([name, array]) => [plain(name), array]),
  );
  const take = (name: string): HostArray => {
    const found = legacy.get(`resnet/${name}`);
    if (!found) throw errors.legacy({ name: `resnet/${name}` });
    return found;
  };
  const reshaped = ({ dtype, data }: HostArray, shape: readonly number[]) =>
    new HostArray(dtype, shape, data);
  const normOf = (name: string, from: string): [string, HostArray][] =>
    (['bias', 'scale'] as const).map((part) => {
      const array = take(`${from}/${part === 'bias' ? 'beta' : 'gamma'}`);
      return [`${name}/${part}`, reshaped(array, [1, 1, 1, ...array.shape])];
    });

  const kernel = take('head/conv2d/kernel');
  const found: [string, HostArray][] = [
    ['root_block/conv_root/kernel', take('root_block/standardized_conv2d/kernel')],
    ...normOf('norm-pre-head', 'group_norm'),
    ['head/kernel', reshaped(kernel, kernel.shape.slice(2))],
    ['head/bias', take('head/conv2d/bias')],
  ];
  const units = new Set(
    [...legacy.keys()].flatMap((name) => /^resnet\/(block\d+\/unit\d+)\//.exec(name)?.[1] ?? []),
  );
  for (const unit of units) {
    ['a', 'b', 'c'].forEach((group, i) => {
      found.push([`${unit}/conv${i + 1}/kernel`, take(`${unit}/${group}/standardized_conv2d/kernel`)]);
      found.push(...normOf(`${unit}/gn${i + 1}`, `${unit}/${group}/group_norm`));
    });
    const projection = [...legacy].find(([name]) => name.startsWith(`resnet/${unit}/a/proj`));
    if (projection) found.push([`${unit}/conv_proj/kernel`, projection[1]]);
  }
  return nest(found);
}
