// Parameters of a ViT from a file of any age: renames what older versions wrote, and fits it to the model.

import type { HostArray } from '../../core/array';
import { loadParams, mergeParams } from '../../core/checkpoint/load-params';
import { catalogue } from '../../core/errors';
import type { ParamArrays } from '../../core/extensions';
import { type NestedRecord, isDict, mapNamed, namedLeaves, nest } from '../../core/tree';
import { convertPreLinen } from '../layers';
import { addArrays, sliceTokens, stackArrays, unstackArray } from './host-math';
import { resamplePosemb } from './posemb';
import { findReleased } from './released';

const errors = catalogue('vit', {
  notVit: (v: { file: string; found: readonly string[] }) => ({
    what: `"${v.file}" doesn't hold the parameters of a ViT: it has ${v.found.join(', ')} and no "Transformer".`,
    fix: 'name the part of it that is one after a colon, as in ./siglip.npz:img.',
  }),
  released: (v: { name: string; url: string; path: string }) => ({
    what: `"${v.name}" is a released checkpoint, and nothing is downloaded here.`,
    fix: `download ${v.url} and set model_init to ${v.path}.`,
  }),
  blocks: (v: { names: readonly string[] }) => ({
    what: `The blocks of the checkpoint can't be stacked: they are ${v.names.join(', ')}.`,
    fix: 'use a checkpoint whose blocks are numbered from 0 and alike, or set scan to false.',
  }),
});

export interface LoadOptions {
  readonly dont_load?: readonly string[];
  /** True for a model that keeps its blocks stacked. */
  readonly scan: boolean;
  /** Released checkpoints by name, beside those of ViTs. */
  readonly released?: ReadonlyMap<string, string>;
}

/**
 * Parameters for the model that `init` is of. Old names are put right, blocks stacked or unstacked, position embeddings
 * resampled to the model's resolution; names that match a pattern of `dont_load` keep their initial values.
 */
export async function loadVit(
  init: ParamArrays,
  file: string,
  { dont_load, scan, released: more }: LoadOptions,
): Promise<ParamArrays> {
  const released = findReleased(file) ?? findReleased(file, more);
  if (released) throw errors.released({ name: file, ...released });
  const loaded = await loadParams(file);
  if (!isDict(loaded.Transformer)) throw errors.notVit({ file, found: Object.keys(loaded) });

  const arranged = arrangeBlocks(fixOldCheckpoints(loaded), scan);
  const merged = mergeParams(arranged, init, dont_load);
  const from = merged.pos_embedding as HostArray | undefined;
  const to = init.pos_embedding as HostArray | undefined;
  return from && to ? { ...merged, pos_embedding: resamplePosemb(from, to.shape) } : merged;
}

/** Blocks as the model keeps them: stacked for one with `scan`, else separate. */
export function arrangeBlocks(params: ParamArrays, scan: boolean): ParamArrays {
  const stacked = 'encoderblock' in (params.Transformer as object);
  return scan === stacked ? params : scan ? pyloopToScan(params) : scanToPyloop(params);
}

/** Puts right what names in the model can't: layouts of versions before 2022. */
export function fixOldCheckpoints(loaded: ParamArrays): ParamArrays {
  const fixes = [convertPreLinen, liftPosemb, splitClassPosemb, nestMapHead];
  return fixes.reduce((params, fix) => fix(params), loaded);
}

/** The position embedding was in the encoder, and before that in a module of its own there. */
function liftPosemb(params: ParamArrays): ParamArrays {
  const { posembed_input, pos_embedding: inEncoder, ...transformer } = params.Transformer as ParamArrays;
  const pos_embedding = inEncoder ?? (posembed_input as ParamArrays | undefined)?.pos_embedding;
  return pos_embedding ? { ...params, Transformer: transformer, pos_embedding } : params;
}

/**
 * The class token was put in front before positions were added, so there was one position more; the sum of both is the
 * class token now.
 */
function splitClassPosemb(params: ParamArrays): ParamArrays {
  const positions = params.pos_embedding as HostArray | undefined;
  const length = positions?.shape[1] ?? 0;
  // NaFlex's are [side, side, width].
  const isSequence = positions?.shape[0] === 1;
  if (!isSequence || Math.floor(Math.sqrt(length)) ** 2 + 1 !== length) return params;
  const cls = params.cls as HostArray | undefined;
  return {
    ...params,
    pos_embedding: sliceTokens(positions, 1, length),
    ...(cls && { cls: addArrays(cls, sliceTokens(positions, 0, 1)) }),
  };
}

/** The MAP head's parts were at the top level. */
function nestMapHead(params: ParamArrays): ParamArrays {
  if (!('probe' in params)) return params;
  const { probe, MlpBlock_0, MultiHeadDotProductAttention_0, LayerNorm_0, ...rest } = params;
  const head = { probe, MlpBlock_0, MultiHeadDotProductAttention_0, LayerNorm_0 } as ParamArrays;
  return { ...rest, MAPHead_0: head };
}

/** Separate blocks to one tree of stacked parameters. */
export function pyloopToScan(params: ParamArrays): ParamArrays {
  const transformer = params.Transformer as ParamArrays;
  const isBlock = (name: string) => name.startsWith('encoderblock_');
  const names = Object.keys(transformer).filter(isBlock);
  const blocks = names.map((_, i) => new Map(leavesOf(transformer[`encoderblock_${i}`])));
  const [first] = blocks;
  if (!first?.size || blocks.some((block) => describe(block) !== describe(first)))
    throw errors.blocks({ names });

  const stacked = [...first.keys()].map((name) => {
    return [name, stackArrays(blocks.map((block) => block.get(name) as HostArray))] as const;
  });
  const rest = Object.entries(transformer).filter(([name]) => !isBlock(name));
  return { ...params, Transformer: { ...Object.fromEntries(rest), encoderblock: nest(stacked) } };
}

const leavesOf = (tree: ParamArrays[string] | undefined): [string, HostArray][] =>
  namedLeaves<HostArray>(tree as NestedRecord<HostArray>);

const describe = (block: ReadonlyMap<string, HostArray>) =>
  JSON.stringify([...block].map(([name, { dtype, shape }]) => [name, dtype, shape]));

/** One tree of stacked parameters to separate blocks. */
export function scanToPyloop(params: ParamArrays): ParamArrays {
  const { encoderblock, ...rest } = params.Transformer as ParamArrays;
  const layers = mapNamed(encoderblock as ParamArrays, (_, array) => new Layers(unstackArray(array)));
  const depth = Math.min(
    ...namedLeaves<Layers>(layers as NestedRecord<Layers>).map(([, { parts }]) => parts.length),
  );
  const blocks = Array.from({ length: depth }, (_, i) => [
    `encoderblock_${i}`,
    mapNamed(layers, (_, { parts }) => parts[i] as HostArray),
  ]);
  return { ...params, Transformer: { ...rest, ...Object.fromEntries(blocks) } };
}

/** A leaf, where a list would be taken for a subtree. */
class Layers {
  constructor(readonly parts: readonly HostArray[]) {}
}
