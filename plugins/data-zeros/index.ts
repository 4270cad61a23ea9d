// The data source `zeros`: arrays of the shapes that a config asks for, where the data isn't here or mustn't cost anything.

import { z } from 'zod';
import { allocate, dtypes } from '../../core/array';
import type { DataSource } from '../../core/extensions';
import { definePlugin } from '../../core/plugin';

const zerosOptions = z.strictObject({
  features: z
    .record(z.string(), z.strictObject({ dtype: z.enum(dtypes), shape: z.array(z.int().min(0)) }))
    .describe('arrays of an example by name: {"image": {"dtype": "uint8", "shape": [224, 224, 3]}}'),
  count: z.int().min(1).default(1_281_167).describe('number of examples; default: as many as ImageNet has'),
});

export function zeros({ features, count }: z.output<typeof zerosOptions>): DataSource {
  const made = Object.entries(features).map(
    ([name, { dtype, shape }]) => [name, allocate(dtype, shape)] as const,
  );
  const example = Object.fromEntries(made);
  return { size: count, get: () => example };
}

export default definePlugin({
  name: 'data-zeros',
  version: '0.1.0',
  core: '^0.1.0',
  doc: 'Zeros in the place of data: for compiling ahead of time, and for measuring all but the input.',

  register({ register }) {
    register('data', 'zeros', {
      doc: 'The same example of zeros every time, of the arrays that are asked for. Needs no preprocessing.',
      options: zerosOptions,
      create: zeros,
    });
  },
});
