// What models have in common that write texts about images: blocks, and drawing word by word.

import { definePlugin } from '../../core/plugin';

export {
  causalMask,
  decoderBlock,
  type DecoderBlockOptions,
  decoderBlockStep,
  type DecoderCache,
  type DecoderParts,
  encodedKeysAndValues,
  shiftRight,
  stepwiseDecoder,
} from './block';
export { greedy, nucleus, sample, type Samples, type SamplingOptions, type StepwiseDecoder } from './sample';

export default definePlugin({
  name: 'decoder',
  version: '0.1.0',
  core: '^0.1.0',
  needs: { layers: '^0.1.0' },
  doc: 'Parts of models that write texts about images: decoder blocks, and drawing of texts word by word.',
});
