// MLP-Mixer for images.

import { definePlugin } from '../../core/plugin';
import { mixer } from './model';
import { mixerOptions } from './options';

export { fixOldMixer, loadMixer } from './checkpoint';
export { mixer } from './model';
export { type MixerOptions, mixerOptions } from './options';

export default definePlugin({
  name: 'mixer',
  version: '0.1.0',
  core: '^0.1.0',
  needs: { layers: '^0.1.0' },
  doc: 'MLP-Mixer for images (arXiv:2105.01601).',

  register({ register }) {
    register('model', 'mlp_mixer', {
      doc: [
        'MLP-Mixer (arXiv:2105.01601): MLPs across tokens and across channels, and no attention.',
        'image: [batch, height, width, channels], of the size that it was initialised with.',
        'Gives logits [batch, num_classes], or the mean token [batch, hidden_dim] without num_classes.',
      ].join(' '),
      options: mixerOptions,
      create: mixer,
    });
  },
});
