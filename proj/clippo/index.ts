// CLIPPO: image-and-language understanding from pixels only (README.md).

import { definePlugin } from '../../core/plugin';
import { tokens } from '../../core/train/run';
import { oneTower, oneTowerOptions } from './one_tower';

export { oneTower, oneTowerOptions } from './one_tower';

export default definePlugin({
  name: 'clippo',
  version: '0.1.0',
  core: '^0.1.0',
  needs: { towers: '^0.1.0', vit: '^0.1.0' },
  doc: 'CLIP with pixels only: one tower for images and for texts as images (arXiv:2212.08045).',

  register({ register, container }) {
    register('model', 'proj.clippo.one_tower', {
      doc: [
        'One tower that embeds images and pictures of texts (arXiv:2212.08045).',
        'image, and text (or labels): as the image model takes images; either may be missing.',
        'Gives [zimg, ztxt], [batch, out_dim] each, of length 1.',
      ].join(' '),
      options: oneTowerOptions,
      inject: [tokens.registry],
      create: (options, registry) =>
        oneTower(options, (name, tower, where) => registry.create(container, 'model', name, tower, where)),
    });
  },
});
