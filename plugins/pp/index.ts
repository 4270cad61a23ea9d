// Preprocessing: the ops of a config's `pp` strings. The public names are what other plugins' ops build on.

import { definePlugin } from '../../core/plugin';
import { augmentOps } from './augment-ops';
import { boxOps } from './box-ops';
import { choiceOps } from './choice-ops';
import { colourOps } from './colour-ops';
import { cropOps } from './crop-ops';
import { decodeOps } from './decode-ops';
import { generalOps } from './general-ops';
import { maskOps } from './mask-ops';
import { parityRunners } from './parity';
import { resizeOps } from './resize-ops';
import { sequenceOps } from './sequence-ops';
import { textOps } from './text-ops';
import { tokenizers, tokenizingOps, tokenOps } from './token-ops';
import { videoOps } from './video-ops';

export { classNames, type ClassNames } from './class-names';
export { createTokenizer } from './token-ops';
export { type BoxOptions, sampleBox } from './crop-box';
export { type Channels, decodeImage } from './decode';
export { jpegSize } from './jpeg';
export {
  arrayOf,
  describeFeature,
  exampleOp,
  featureOf,
  type Image,
  imageOf,
  keyedOp,
  type KeyedOp,
  mapTexts,
  textOf,
} from './features';
export {
  cropImage,
  resizeImage,
  type ResizeMethod,
  resizeMethods,
  type ResizeOptions,
  type Window,
} from './resize';

export { loadSentencePiece, sentencePiece } from './sentencepiece';

export default definePlugin({
  name: 'pp',
  version: '0.1.0',
  core: '^0.1.0',
  needs: { input: '^0.1.0' },
  doc: 'Preprocessing of examples: images, masks, texts and tokens, labels, keys and shapes.',

  register({ register, container }) {
    const ops = {
      ...decodeOps,
      ...resizeOps,
      ...cropOps,
      ...boxOps,
      ...colourOps,
      ...augmentOps,
      ...maskOps,
      ...sequenceOps,
      ...videoOps,
      ...textOps,
      ...tokenOps,
      ...tokenizingOps(container),
      ...choiceOps,
      ...generalOps,
    };
    for (const [name, op] of Object.entries(ops)) register('pp', name, op);
    for (const [name, tokenizer] of Object.entries(tokenizers)) register('tokenizer', name, tokenizer);
    for (const [name, runner] of Object.entries(parityRunners)) register('parity', name, runner);
  },
});
