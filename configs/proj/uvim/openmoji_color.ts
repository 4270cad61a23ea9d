// Colourisation of OpenMoji: data, preprocessing and evaluators of both stages.

import { held, quarterly } from './small';

export const layout = { size: 48, patch: 8 };

export const parts = { color: 3 };

const data = (split: string) => ({ name: 'openmoji', split, size: layout.size });

const grey =
  'copy("image", "labels")|rgb_to_grayscale_to_rgb|value_range(-1, 1)|value_range(-1, 1, key="labels")|keep("image", "labels")';

export const input = { data: data('train'), pp: `flip_lr|${grey}`, batch_size: 64 };

const test = data('test');

export const evals = {
  ...held(test, grey),
  psnr: { type: 'proj.uvim.psnr', data: test, pp_fn: grey, ...quarterly },
  pictures: {
    type: 'save_grid',
    data: test,
    pp_fn: grey,
    batch_size: 8,
    columns: {
      grey: { from: 'image' },
      truth: { from: 'labels' },
      prediction: { from: 'output/color' },
    },
    ...quarterly,
  },
};
