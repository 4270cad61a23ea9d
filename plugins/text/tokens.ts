// The tokens of a batch.

import type { Batch } from '../../core/extensions';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';

/** `text`, or `labels` as preprocessing names it: int32 [batch, length]. */
export function tokensOf(scope: Scope, { text, labels }: Batch): tf.Tensor {
  const tokens = text ?? labels;
  if (tokens?.rank === 2) return tokens.dtype === 'int32' ? tokens : tf.cast(tokens, 'int32');
  const found = tokens ? `text of shape [${tokens.shape.join(', ')}]` : 'no "text" and no "labels"';
  throw scope.shapeError(
    `the batch has ${found}, expected tokens [batch, length]`,
    'let pp end with a tokenizer and keep("image", "labels").',
  );
}
