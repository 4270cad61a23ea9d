// ResNets with group norm and weight standardisation.

import { registerParity } from '../../core/parity/register';
import { definePlugin } from '../../core/plugin';
import { bitOptions, bitPaperOptions } from './options';
import { bitRunners } from './parity';
import { bit } from './v1';
import { bitPaper } from './v2';

export { fixOldBit, fromBigTransfer, loadBit, loadBitPaper, releasedBit } from './checkpoint';
export { type BitOptions, bitOptions, type BitPaperOptions, bitPaperOptions } from './options';
export { bit } from './v1';
export { bitPaper } from './v2';

const shapes = [
  'image: [batch, height, width, channels].',
  'Gives logits [batch, num_classes], or the mean over the image without num_classes.',
].join(' ');

export default definePlugin({
  name: 'bit',
  version: '0.1.0',
  core: '^0.1.0',
  needs: { layers: '^0.1.0' },
  doc: 'ResNets with group norm and weight standardisation, among them those of Big Transfer.',

  register({ register }) {
    register('model', 'bit', {
      doc: `ResNet v1 with group norm and weight standardisation (arXiv:1512.03385, 1903.10520). ${shapes}`,
      options: bitOptions,
      create: bit,
    });
    register('model', 'bit_paper', {
      doc: `ResNet v2 as in Big Transfer (arXiv:1912.11370); loads its released weights. ${shapes}`,
      options: bitPaperOptions,
      create: bitPaper,
    });
    registerParity(register, bitRunners);
  },
});
