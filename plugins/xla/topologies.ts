// Names of hardware to compile for, whether it is here or not: what its plugin calls it, and which plugin that is.

import { catalogue } from '../../core/errors';
import { didYouMean } from '../../core/suggest';
import { gpus, targetConfig } from './gpus';
import type { PluginName } from './install';
import type { NamedValues } from './pjrt';

export interface Target {
  readonly plugin: PluginName;
  /** The plugin's own name of the topology. */
  readonly topology: string;
  readonly options: NamedValues;
}

interface Generation {
  /** Slices that Google rents out; the compiler takes others too, such as `v5e:16x32`. */
  readonly slices: readonly string[];
  readonly options?: NamedValues;
  /** In names such as `v4-512` the number counts the two cores of each chip. */
  readonly namedByCores?: true;
}

const flat = ['1x1', '2x2', '2x4', '4x4', '4x8', '8x8', '8x16', '16x16'];
const cubes = ['2x2x1', '2x2x2', '2x2x4', '2x4x4', '4x4x4', '4x4x8', '4x8x8', '8x8x8', '8x8x16', '8x16x16'];

const generations: Readonly<Record<string, Generation>> = {
  v3: { slices: ['2x2', '4x4', '4x8', '8x8', '8x16', '16x16', '16x32', '32x32'], namedByCores: true },
  // Both cores of a chip as one device, as on Cloud.
  v4: { slices: cubes, options: { chip_config_name: 'megacore' }, namedByCores: true },
  v5e: { slices: flat },
  v5p: { slices: [...cubes, '16x16x16'], namedByCores: true },
  v6e: { slices: flat },
};

/** Every name that is suggested. */
export const topologyNames: readonly string[] = [
  ...Object.entries(generations).flatMap(([name, { slices }]) => slices.map((slice) => `${name}:${slice}`)),
  ...Object.keys(gpus).flatMap((name) => ['1', '8', '2x8'].map((size) => `${name}:${size}`)),
];

/** Of the same generation, where that much is right. */
function candidates(name: string): readonly string[] {
  const family = topologyNames.filter((known) => known.split(':')[0] === name.split(/[:-]/)[0]);
  return family.length > 0 ? family : topologyNames;
}

export const topologyErrors = catalogue('topology', {
  unknown: (v: { name: string; reason?: string }) => ({
    what: `There is no topology "${v.name}"${v.reason ? ` (${v.reason})` : ''}.${didYouMean(v.name, candidates(v.name))}`,
    fix: 'cpu; a TPU slice in chips (v5e:2x4, v5e:16x16, v6e:8x8, v4:4x4x4, v5p:8x16x16) or as Cloud names it (v5e-256, v4-512); or GPUs, as h100:8, or h100:2x8 for two machines with 8 each.',
  }),
});

/** @throws UserError for a name of no form that we know; others the compiler itself may refuse. */
export function findTopology(name: string): Target {
  const [, family = '', separator, size = ''] = /^([a-z0-9]+)([:-])(\d+(?:x\d+)*)$/.exec(name) ?? [];
  const gpu = Object.hasOwn(gpus, family) ? gpus[family] : undefined;
  if (gpu && separator === ':' && size.split('x').length <= 2) {
    return { plugin: 'cuda13', topology: '', options: gpuOptions(gpu, size) };
  }
  const generation = Object.hasOwn(generations, family) ? generations[family] : undefined;
  if (!generation) throw topologyErrors.unknown({ name });
  const slice = separator === ':' ? size : sliceOf(generation, Number(size));
  const rank = generation.slices[0]?.split('x').length;
  if (slice === undefined || slice.split('x').length !== rank) throw topologyErrors.unknown({ name });
  return { plugin: 'tpu', topology: `${family}:${slice}`, options: generation.options ?? {} };
}

/** `8` GPUs, or `2x8`: machines with so many each. The plugin counts partitions, machines in each, GPUs in each. */
function gpuOptions(gpu: Parameters<typeof targetConfig>[0], size: string): NamedValues {
  const machines = size.includes('x') ? size : `1x${size}`;
  return { target_config: targetConfig(gpu), topology: `1x${machines}` };
}

/** The slice that Cloud's `v5e-256` or `v4-512` stands for. */
function sliceOf({ slices, namedByCores }: Generation, count: number): string | undefined {
  const chips = namedByCores ? count / 2 : count;
  return slices.find(
    (slice) => slice.split('x').reduce((product, side) => product * Number(side), 1) === chips,
  );
}
