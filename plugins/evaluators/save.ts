// Writes what a predict function gives for a data set, beside its inputs.

import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { z } from 'zod';
import type { HostArray } from '../../core/array';
import { saveNpz } from '../../core/checkpoint/npz';
import { catalogue } from '../../core/errors';
import type { Batch, Evaluator, EvaluatorContext, Params } from '../../core/extensions';
import * as tf from '../../core/tensor';
import { namedLeaves, nest, type Tree } from '../../core/tree';
import { collectRows } from './collect';
import { openPass, passOptions, type PassServices } from './feed';

export const saveSchema = z.strictObject({
  ...passOptions,
  outfile: z.string().describe('an npz file; {workdir}, {step} and {step:09d} stand for what they say'),
});
export type SaveOptions = z.output<typeof saveSchema>;

const errors = catalogue('eval', {
  noWorkdir: (v: { name: string }) => ({
    what: `evals.${v.name}.outfile is in {workdir}, but the run has none.`,
    fix: 'give one with --workdir, or write the file elsewhere.',
  }),
});

export function outfileOf(name: string, pattern: string, step: number, workdir: string | undefined): string {
  if (pattern.includes('{workdir}') && workdir === undefined) throw errors.noWorkdir({ name });
  return pattern
    .replaceAll('{workdir}', workdir ?? '')
    .replace(/\{step(?::0?(\d+)d)?\}/g, (_, width?: string) =>
      String(step).padStart(Number(width ?? 0), '0'),
    );
}

/**
 * Writes `inputs/NAME` and `outputs/...`, all examples in order and no padding: a single output and the intermediates are
 * `outputs/0` and `outputs/1/NAME`, several outputs are numbered, named ones have their names. What has no batch axis
 * is left out. No metrics.
 */
export async function save(
  options: SaveOptions,
  context: EvaluatorContext,
  services: PassServices,
): Promise<Evaluator> {
  const { runtime } = services;
  const { name, predict, workdir } = context;
  const input = await openPass(options, context, services);
  const step = runtime.jit(
    (params: Params, batch: Batch) => {
      const { output, out } = predict(params, batch);
      const isTuple = Array.isArray(output) || output instanceof tf.Tensor;
      const outputs: Tree<tf.Tensor> = isTuple ? [...[output].flat(), out] : output;
      const { _mask, ...given } = batch;
      // Copies, since what is given to an eager runtime's function stays the caller's.
      const copies = Object.entries(given).map(([key, x]) => [key, tf.clone(x)] as const);
      const named = namedLeaves<tf.Tensor>({ inputs: Object.fromEntries(copies), outputs });
      return Object.fromEntries(named.filter(([, { shape }]) => shape[0] === _mask!.shape[0]));
    },
    { name: `evals.${name}` },
  );
  return {
    // eslint-disable-next-line require-yield -- it writes a file, and has no metrics
    async *run(params, at) {
      const file = outfileOf(name, options.outfile, at, workdir);
      const all = await collectRows(runtime, input, (batch) => step(params, batch));
      // Each of several processes has everything.
      if (runtime.process.index !== 0) return;
      await fs.mkdir(path.dirname(file), { recursive: true });
      await saveNpz(file, nest(Object.entries<HostArray>(all)), { compress: true });
    },
  };
}
