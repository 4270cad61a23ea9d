import { z } from 'zod';

/** How an accumulator is stored between steps; the arithmetic of a step is float32. */
export const storage = z.enum(['float32', 'bfloat16', 'float16']);
