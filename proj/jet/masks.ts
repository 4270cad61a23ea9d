// How a coupling cuts its input in two: permutation matrices, fixed from the start and never trained.

import { catalogue } from '../../core/errors';
import type { Initializer } from '../../core/extensions';
import { initializer } from '../../core/layers/init';
import * as tf from '../../core/tensor';

const errors = catalogue('jet', {
  patches: (v: { height: number; width: number; ps: number }) => ({
    what: `Images of ${v.height} by ${v.width} pixels can't be cut into patches of ${v.ps} pixels.`,
    fix: 'choose a size of images, or model.ps, so that the patches fit.',
  }),
  halves: (v: { kind: string; rows: number; columns: number }) => ({
    what: `"${v.kind}" doesn't cut ${v.rows} by ${v.columns} patches into halves of one size.`,
    fix: 'choose an even number of patches in each direction.',
  }),
});

/** A layer without such a coupling has a matrix of zeros. */
export const channelKinds = ['random', 'zero'] as const;
export type ChannelKind = (typeof channelKinds)[number];

const patterns = ['checkerboard', 'vstripes', 'hstripes'] as const;
type Pattern = (typeof patterns)[number];
/** With "-inv" the halves change places. */
export const spatialKinds = [
  ...patterns,
  ...patterns.map((pattern) => `${pattern}-inv` as const),
  'zero',
] as const;
export type SpatialKind = (typeof spatialKinds)[number];

export interface Grid {
  readonly rows: number;
  readonly columns: number;
}

/** The patches of an image. */
export function gridOf([height, width]: readonly [number, number], ps: number): Grid {
  if (height % ps !== 0 || width % ps !== 0) throw errors.patches({ height, width, ps });
  return { rows: height / ps, columns: width / ps };
}

/** Random permutations of channels: [layers, channels, channels]. Each layer's key is folded from its place. */
export function channelMasks(kinds: readonly ChannelKind[]): Initializer {
  return initializer(`jetChannels(${kinds.join()})`, (key, [, channels = 0]) =>
    tf.stack(
      kinds.map((kind, i) =>
        kind === 'zero'
          ? tf.fill([channels, channels], 0)
          : permutationMatrix(tf.random.permutation(tf.random.foldIn(key, i), channels)),
      ),
    ),
  );
}

/** Patterns of patches, those of the first half before the others: [layers, patches, patches]. */
export function spatialMasks(kinds: readonly SpatialKind[], grid: Grid): Initializer {
  const { rows, columns } = grid;
  return initializer(`jetPatches(${kinds.join()},${rows},${columns})`, (_key, [, patches = 0]) =>
    tf.stack(
      kinds.map((kind) =>
        kind === 'zero'
          ? tf.fill([patches, patches], 0)
          : permutationMatrix(tf.tensor(patchesInOrder(kind, grid), [patches], 'int32')),
      ),
    ),
  );
}

/** A row x of things, multiplied by it, has thing order[i] at i. */
const permutationMatrix = (order: tf.Tensor): tf.Tensor =>
  tf.transpose(tf.oneHot(order, order.size, 1, 0, 'float32'));

/** Which half of a pattern a patch belongs to: 0 or 1. */
const sides: Readonly<Record<Pattern, (patch: number, columns: number) => number>> = {
  checkerboard: (patch, columns) => (patch + Math.floor(patch / columns)) % 2,
  vstripes: (patch) => patch % 2,
  hstripes: (patch, columns) => Math.floor(patch / columns) % 2,
};

function patchesInOrder(kind: Exclude<SpatialKind, 'zero'>, { rows, columns }: Grid): number[] {
  const sideOf = sides[kind.replace('-inv', '') as Pattern];
  const patches = Array.from({ length: rows * columns }, (_, i) => i);
  const first = patches.filter((patch) => sideOf(patch, columns) === 0);
  const second = patches.filter((patch) => sideOf(patch, columns) === 1);
  if (first.length !== second.length) throw errors.halves({ kind, rows, columns });
  return kind.endsWith('-inv') ? [...second, ...first] : [...first, ...second];
}
