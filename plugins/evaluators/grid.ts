// A picture of inputs, targets and predictions side by side, each time that it runs.

import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { z } from 'zod';
import { catalogue } from '../../core/errors';
import type { Evaluator, EvaluatorContext } from '../../core/extensions';
import { type Cell, writeGrid } from '../../core/grid';
import type * as tf from '../../core/tensor';
import { namedLeaves } from '../../core/tree';
import { forEachExample } from './each-example';
import { passOptions, type PassServices } from './feed';
import { kinds, painted } from './paint';
import { outfileOf } from './save';

const column = z.strictObject({
  from: z.string().describe('a feature of the batch, or a prediction: "output" or "output/NAME"'),
  as: z
    .enum(kinds)
    .default('image')
    .describe(
      'image: colours; heat: one quantity; segments: classes, and instances if there are two channels',
    ),
  range: z
    .tuple([z.number(), z.number()])
    .default([-1, 1])
    .describe('what is darkest and lightest in an image or in heat'),
});

export const gridSchema = z.strictObject({
  ...passOptions,
  columns: z.record(z.string(), column).describe('by their titles, from left to right'),
  count: z.int().min(1).default(8).describe('rows: that many examples, the first ones'),
  outfile: z
    .string()
    .default('{workdir}/{name}_{step:09d}.png')
    .describe('a PNG file; {workdir}, {name}, {step} and {step:09d} stand for what they say'),
});
export type GridOptions = z.output<typeof gridSchema>;

const errors = catalogue('eval', {
  noColumn: (v: { name: string; column: string; from: string; known: readonly string[] }) => ({
    what: `evals.${v.name}.columns.${v.column} is to show "${v.from}", which there isn't.`,
    fix: `one of: ${v.known.join(', ')}.`,
  }),
});

/** Writes a PNG file, and has no metrics. */
export async function saveGrid(
  options: GridOptions,
  context: EvaluatorContext,
  services: PassServices,
): Promise<Evaluator> {
  const { name, predict, workdir } = context;
  const columns = Object.entries(options.columns);
  const limited = { ...context, limit: options.count };
  const pass = await forEachExample(options, limited, services, (params, batch) => {
    const predicted = namedLeaves<tf.Tensor>(predict(params, batch).output);
    const shown: Record<string, tf.Tensor> = { ...batch };
    for (const [key, x] of predicted) shown[key === '' ? 'output' : `output/${key}`] = x;
    const pick = ([title, { from }]: (typeof columns)[number]) => {
      const x = shown[from];
      if (!x) throw errors.noColumn({ name, column: title, from, known: Object.keys(shown) });
      return [title, x] as const;
    };
    return Object.fromEntries(columns.map(pick));
  });
  return {
    // eslint-disable-next-line require-yield -- it writes a file, and has no metrics
    async *run(params, step) {
      const file = outfileOf(name, options.outfile.replaceAll('{name}', name), step, workdir);
      const rows: Cell[][] = [];
      await pass(params, (values, index) => {
        const cells = columns.map(([title, { as, range }]) => ({
          image: painted(values[title]!, as, range),
          label: index === 0 ? [title] : [],
        }));
        rows.push(cells);
      });
      // Each of several processes has everything.
      if (services.runtime.process.index !== 0) return;
      await fs.mkdir(path.dirname(file), { recursive: true });
      await writeGrid(file, rows);
    },
  };
}
