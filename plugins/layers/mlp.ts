// The transformer's feed-forward block, as the original's models/vit.py has it.

import { normal, xavierUniform } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { dense } from './dense';
import { dropout } from './dropout';

export interface MlpOptions {
  /** Width of the hidden layer. Default, also where it is 0: four times the input's. */
  readonly mlpDim?: number | null;
  readonly dropout?: number;
  /** Turns on dropout. */
  readonly train?: boolean;
  /** Default: true. */
  readonly useBias?: boolean;
  readonly dtype?: tf.StorageType;
}

/**
 * Dense, GELU (tanh approximation), dropout, dense. Parameters: `Dense_0`, `Dense_1`.
 * @param x float [..., width]
 * @returns float [..., width]
 */
export function mlpBlock(scope: Scope, x: tf.Tensor, options: MlpOptions = {}): tf.Tensor {
  const { mlpDim, train = false, useBias = true, dtype } = options;
  const width = x.shape.at(-1) as number;
  const inits = { kernelInit: xavierUniform(), biasInit: normal(1e-6), useBias, dtype };
  const hidden = tf.gelu(dense(scope.child('Dense_0'), x, mlpDim || 4 * width, inits));
  const kept = dropout(scope.child('Dropout_0'), hidden, { rate: options.dropout ?? 0, train });
  return dense(scope.child('Dense_1'), kept, width, inits);
}
