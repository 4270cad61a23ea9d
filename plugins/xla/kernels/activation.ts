// Activations that tfjs fuses into other kernels, by name.

import * as hlo from '../stablehlo';
import type { Value } from '../stablehlo';
import { broadcast, withScalar } from './shapes';
import { elu, leakyRelu, relu, relu6 } from './unary';

export function activate(x: Value, activation: string, prelu?: Value, alpha = 0.2): Value {
  switch (activation) {
    case 'linear':
      return x;
    case 'relu':
      return relu(x);
    case 'relu6':
      return relu6(x);
    case 'elu':
      return elu(x);
    case 'sigmoid':
      return hlo.logistic(x);
    case 'leakyrelu':
      return leakyRelu(x, alpha);
    case 'prelu': {
      const [value, slope] = broadcast(x, prelu!) as [Value, Value];
      return hlo.select(
        withScalar((a, b) => hlo.compare('GE', a, b), value, 0),
        value,
        hlo.multiply(value, slope),
      );
    }
    default:
      throw new Error(`Unknown activation "${activation}"`);
  }
}
