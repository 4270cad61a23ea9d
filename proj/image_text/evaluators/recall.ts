// Recall of retrieval from distances between images and texts.

import { catalogue } from '../../../core/errors';

export const recallThresholds = [1, 5, 10] as const;
export type Recalls = Readonly<Record<`Recall@${(typeof recallThresholds)[number]}`, number>>;

const errors = catalogue('retrieval', {
  shapes: (v: { texts: number; columns: number }) => ({
    what: `Retrieval got distances of ${v.columns} texts, and images for ${v.texts}.`,
    fix: 'give one image for each text.',
  }),
});

export interface Distances {
  /** Row-major, [images, texts]. */
  readonly data: ArrayLike<number>;
  readonly images: number;
  readonly texts: number;
}

/** Shares of the queries with a right answer among their best 1, 5 and 10. `firstRight`: its rank for each query. */
function recalls(firstRight: readonly number[]): Recalls {
  const share = (k: number) => firstRight.filter((rank) => rank < k).length / firstRight.length;
  return Object.fromEntries(recallThresholds.map((k) => [`Recall@${k}`, share(k)])) as Recalls;
}

/** How many candidates come before the best right one; among equal distances, earlier ones do. */
function rankOfBest(distances: readonly number[], right: readonly number[]): number {
  const before = (i: number, j: number) =>
    (distances[i] as number) < (distances[j] as number) || (distances[i] === distances[j] && i < j);
  if (right.length === 0) return Infinity;
  const best = right.reduce((a, b) => (before(a, b) ? a : b));
  return distances.filter((_, i) => before(i, best)).length;
}

/** `imageOf`: the row of each text's image. Several texts may have the same. */
export function retrievalRecalls(
  { data, images, texts }: Distances,
  imageOf: ArrayLike<number>,
): { readonly img2txt: Recalls; readonly txt2img: Recalls } {
  if (imageOf.length !== texts) throw errors.shapes({ texts: imageOf.length, columns: texts });
  const textsOf = Array.from({ length: images }, (): number[] => []);
  for (let text = 0; text < texts; text++) textsOf[imageOf[text] as number]?.push(text);
  const row = (image: number) =>
    Array.from({ length: texts }, (_, text) => data[image * texts + text] as number);
  const column = (text: number) =>
    Array.from({ length: images }, (_, image) => data[image * texts + text] as number);
  return {
    img2txt: recalls(textsOf.map((own, image) => rankOfBest(row(image), own))),
    txt2img: recalls(
      Array.from({ length: texts }, (_, text) => rankOfBest(column(text), [imageOf[text] as number])),
    ),
  };
}
