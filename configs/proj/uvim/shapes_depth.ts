// Depth of `shapes`: data, preprocessing and evaluators of both stages. The nearer a shape the larger it is, so that an
// image tells its depth.

import { held, quarterly } from './small';

export const layout = { size: 32, patch: 4 };

/** Bins of half a metre; the background, at 10 m, is in the last. */
export const parts = { depth: 21 };
export const range = { min_depth: 0, max_depth: 10.5 };

const data = (split: string, count?: number) => ({
  name: 'shapes',
  split,
  size: layout.size,
  perspective: true,
  ...(count !== undefined && { count }),
});

const end = 'value_range(-1, 1)|keep("image", "labels"';

export const input = {
  data: data('train'),
  pp: `copy("depth", "labels")|randu("fliplr")|det_fliplr(key="image")|det_fliplr(key="labels")|${end})`,
  batch_size: 64,
};

const test = data('test', 512);
const withTruth = `copy("depth", "labels")|copy("labels", "ground_truth")|${end}, "ground_truth")`;

export const evals = {
  ...held(test, `copy("depth", "labels")|${end})`),
  // Of the pixels of shapes: the background is most of a picture and easy.
  depth: {
    type: 'proj.uvim.nyu_depth',
    data: test,
    pp_fn: withTruth,
    min_depth: 0.5,
    max_depth: 9.5,
    ...quarterly,
  },
  pictures: {
    type: 'save_grid',
    data: test,
    pp_fn: withTruth,
    batch_size: 8,
    columns: {
      image: { from: 'image' },
      truth: { from: 'ground_truth', as: 'heat', range: [0, 10] },
      prediction: { from: 'output/depth', as: 'heat', range: [0, 10] },
    },
    ...quarterly,
  },
};
