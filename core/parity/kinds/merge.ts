// Parameters of a checkpoint merged into those of a model.

import type { HostArray } from '../../array';
import { mergeParams } from '../../checkpoint/load-params';
import { namedLeaves, type Tree } from '../../tree';
import type { ParityRunner } from '../case';
import { arraysUnder } from '../read';

export const mergeRunner: ParityRunner = async ({ args, inputs }) => {
  const [loaded, inited] = [arraysUnder(inputs, 'loaded'), arraysUnder(inputs, 'inited')];
  const merged = mergeParams(loaded, inited, args.dont_load as readonly string[] | undefined);
  const leaves = namedLeaves<HostArray>(merged as Tree<HostArray>);
  return new Map(leaves.map(([name, array]) => [`params/${name}`, array]));
};
