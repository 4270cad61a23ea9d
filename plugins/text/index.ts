// Transformers for text.

import { definePlugin } from '../../core/plugin';
import { bert, bertOptions } from './bert';
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
  doc: 'Text towers: the transformer encoder of SigLIP, and BERT.',

  register({ register }) {
    register('model', 'proj.image_text.text_transformer', {
      doc: [
        'Transformer encoder for text, without a causal mask. text (or labels): tokens, int32 [batch, length].',
        'Gives [batch, num_classes], or the pooled representation [batch, width] without num_classes.',
      ].join(' '),
      options: textOptions,
      create: textTransformer,
    });
    register('model', 'proj.flaxformer.bert', {
      doc: [
        "BERT's encoder (arXiv:1810.04805). text (or labels): its tokens, int32 [batch, length], 0 for padding; see bert_tokenize.",
        'Gives [batch, num_classes], or the representation of the first token [batch, width] without num_classes.',
      ].join(' '),
      options: bertOptions,
      create: bert,
    });
  },
});
