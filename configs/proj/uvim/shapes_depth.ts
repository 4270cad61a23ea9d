// Depth of `shapes`: data, preprocessing and evaluators of both stages. The nearer a shape the larger it is, so that an
// image tells its depth.

import { held, quarterly, size } from './small';

/** Bins. */
export const parts = { depth: 41 };
/** A bin is 0.25 m; the background, at 10 m, is in the last. */
export const range = { min_depth: 0, max_depth: 10.25 };

const data = (split: string, count?: number) => ({
  name: 'shapes',
  split,
  size,
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
  // Of all pixels, the background too.
  depth: {
    type: 'proj.uvim.nyu_depth',
    data: test,
    pp_fn: withTruth,
    min_depth: 0.5,
    max_depth: 11,
    ...quarterly,
  },
};
