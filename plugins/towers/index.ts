// What models that embed several modalities in one space have in common.

import { definePlugin } from '../../core/plugin';

export { loadTowers, towerLoadOptions } from './checkpoint';
export { type MakeTower, embed, inputOf, temperature, towersOf } from './embed';

export default definePlugin({
  name: 'towers',
  version: '0.1.0',
  core: '^0.1.0',
  needs: { vit: '^0.1.0' },
  doc: 'Parts of models that embed images and texts: towers by name, unit vectors, the temperature, checkpoints of parts.',
});
