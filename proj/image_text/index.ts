// Contrastive training of image and text towers: CLIP, LiT and SigLIP (README.md).

import { definePlugin } from '../../core/plugin';
import { tokens } from '../../core/train/run';
import { twoTowers, twoTowersOptions } from './two_towers';

export { twoTowers, type TwoTowersOptions, twoTowersOptions } from './two_towers';

export default definePlugin({
  name: 'image_text',
  version: '0.1.0',
  core: '^0.1.0',
  needs: { text: '^0.1.0', towers: '^0.1.0', vit: '^0.1.0' },
  doc: 'Contrastive training of image and text towers: CLIP (arXiv:2103.00020), LiT (2111.07991), SigLIP (2303.15343).',

  register({ register, container }) {
    register('model', 'proj.image_text.two_towers', {
      doc: [
        'Two towers that embed images and texts (arXiv:2103.00020). image: as the image model takes it;',
        'text (or labels): as the text model takes it; either may be missing.',
        'Gives [zimg, ztxt], [batch, out_dim] each, of length 1.',
      ].join(' '),
      options: twoTowersOptions,
      inject: [tokens.registry],
      create: (options, registry) =>
        twoTowers(options, (name, tower, where) => registry.create(container, 'model', name, tower, where)),
    });
  },
});
