// UViM: images to dense outputs by a guiding code (README.md).

import { definePlugin } from '../../core/plugin';
import { registerOps } from './pp';

export default definePlugin({
  name: 'uvim',
  version: '0.1.0',
  core: '^0.1.0',
  needs: { pp: '^0.1.0' },
  doc: 'UViM: panoptic segmentation, depth and colourisation by one method (arXiv:2205.10337).',

  register(registrar) {
    registerOps(registrar);
  },
});
