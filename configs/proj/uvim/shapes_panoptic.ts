// Panoptic segmentation of `shapes`: data, preprocessing and evaluators of both stages.

import { held, quarterly } from './small';

export const layout = { size: 48, patch: 8 };

const kinds = ['circle', 'square', 'triangle', 'diamond', 'ring', 'cross'];
const most_shapes = 3;

/** Nothing, kinds of shapes and the background; objects from 1, one of them the background. */
export const parts = { semantics: 1 + kinds.length + 1, instances: 1 + most_shapes + 1 };

const categories = [...kinds, 'background'].map((name, i) => ({
  id: i + 1,
  name,
  isthing: name !== 'background',
}));

const data = (split: string, count?: number) => ({
  name: 'shapes',
  split,
  size: layout.size,
  most_shapes,
  ...(count !== undefined && { count }),
});

const start = 'coco_panoptic|concat(["semantics", "instances"], "labels")|';
const end = 'value_range(-1, 1)|make_canonical|keep("image", "labels")';

export const input = {
  data: data('train'),
  pp: `${start}randu("fliplr")|det_fliplr(key="image")|det_fliplr(key="labels")|${end}`,
  batch_size: 64,
};

const test = data('test', 512);

export const evals = {
  ...held(test, start + end),
  panoptic: { type: 'proj.uvim.coco_panoptic', data: test, pp_fn: start + end, categories, ...quarterly },
  pictures: {
    type: 'save_grid',
    data: test,
    pp_fn: start + end,
    batch_size: 8,
    columns: {
      image: { from: 'image' },
      truth: { from: 'labels', as: 'segments' },
      prediction: { from: 'output', as: 'segments' },
    },
    ...quarterly,
  },
};
