// The Vision Transformer, and its parts for other models.

import { registerParity } from '../../core/parity/register';
import { definePlugin } from '../../core/plugin';
import { vit } from './model';
import { vitOptions } from './options';
import { vitRunners } from './parity';

export { arrangeBlocks, fixOldCheckpoints, loadVit, pyloopToScan, scanToPyloop } from './checkpoint';
export {
  type BlockOptions,
  type EncoderOptions,
  type WithIntermediates,
  encoder,
  mapHead,
  scanRemat,
} from './encoder';
export { encoderFile, loadWithEncoder } from './encoder-init';
export { addArrays } from './host-math';
export { applyVit, representation, vit } from './model';
export {
  type VitConfig,
  type VitInput,
  type VitOptions,
  resolveOptions,
  transformerOptions,
  vitOptions,
} from './options';
export { type PosembOptions, posemb, posembSincos2d, resamplePosemb } from './posemb';
export { findReleased, released } from './released';
export { type Size, decodeVariant, sizes } from './variants';

export default definePlugin({
  name: 'vit',
  version: '0.1.0',
  core: '^0.1.0',
  needs: { layers: '^0.1.0' },
  doc: 'The Vision Transformer for images.',

  register({ register }) {
    register('model', 'vit', {
      doc: [
        'Vision Transformer (arXiv:2010.11929). image: [batch, height, width, channels], values usually in [-1, 1].',
        'Gives logits [batch, num_classes], or the pooled representation [batch, width] without num_classes.',
        'What does not fill a patch is dropped, as with VALID padding.',
        'With scan a compiled program has one block, and the backward pass keeps of each what remat_policy says.',
      ].join(' '),
      options: vitOptions,
      create: vit,
    });
    registerParity(register, vitRunners);
  },
});
