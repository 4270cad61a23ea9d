import { z } from 'zod';
import * as tf from '../../core/tensor';

/** How an accumulator is stored between steps; the arithmetic of a step is float32. */
export const storage = z.enum(['float32', 'bfloat16', 'float16']);

/** What stores an accumulator so; as it is, if nothing is said. */
export function storedAs(dtype: z.output<typeof storage> | null | undefined) {
  return (x: tf.Tensor) => (dtype ? tf.castStorage(x, dtype) : x);
}
