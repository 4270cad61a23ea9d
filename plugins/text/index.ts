// Transformers for text.

import { definePlugin } from '../../core/plugin';
import { textTransformer } from './model';
import { textOptions } from './options';

export { textTransformer } from './model';
export { wordTokenizer } from './words';
export { type TextInput, type TextOptions, textOptions } from './options';

export default definePlugin({
  name: 'text',
  version: '0.1.0',
  core: '^0.1.0',
  needs: { layers: '^0.1.0', vit: '^0.1.0' },
  doc: 'The transformer encoder for text of two-tower models.',

  register({ register }) {
    register('model', 'proj.image_text.text_transformer', {
      doc: [
        'Transformer encoder for text, without a causal mask. text (or labels): tokens, int32 [batch, length].',
        'Gives [batch, num_classes], or the pooled representation [batch, width] without num_classes.',
      ].join(' '),
      options: textOptions,
      create: textTransformer,
    });
  },
});
