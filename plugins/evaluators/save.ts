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
import { forEachBatch, openPass, passOptions, type PassServices } from './feed';
import { countedRows, joinRows, rowsOf } from './rows';

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
    (params: Params, { _mask, ...batch }: Batch) => {
      const { output, out } = predict(params, { ...batch, _mask: _mask as tf.Tensor });
      const isTuple = Array.isArray(output) || output instanceof tf.Tensor;
      const outputs: Tree<tf.Tensor> = isTuple ? [...[output].flat(), out] : output;
      // Copies, since what is given to an eager runtime's function stays the caller's.
      const copies = Object.entries(batch).map(([key, x]) => [key, tf.clone(x)] as const);
      const mask = tf.clone(_mask as tf.Tensor);
      return { inputs: Object.fromEntries(copies), outputs, mask } as Tree<tf.Tensor>;
    },
    { name: `evals.${name}` },
  );
  return {
    // eslint-disable-next-line require-yield -- it writes a file, and has no metrics
    async *run(params, at) {
      const file = outfileOf(name, options.outfile, at, workdir);
      const read = async (tree: Tree<tf.Tensor>) => {
        const named = namedLeaves<tf.Tensor>(tree);
        const arrays = await Promise.all(named.map(([, x]) => runtime.toHost(x)));
        tf.dispose(named.map(([, x]) => x));
        return new Map(named.map(([key], i) => [key, arrays[i] as HostArray]));
      };
      const reads: ReturnType<typeof read>[] = [];
      await forEachBatch(runtime, input, (batch) => void reads.push(read(step(params, batch))));
      const all = await Promise.all(reads);
      // Each of several processes has everything.
      if (runtime.process.index !== 0) return;
      await fs.mkdir(path.dirname(file), { recursive: true });
      await saveNpz(file, nest(withoutPadding(all)), { compress: true });
    },
  };
}

function withoutPadding(batches: readonly ReadonlyMap<string, HostArray>[]): Map<string, HostArray> {
  const [first] = batches;
  const found = new Map<string, HostArray>();
  const size = first?.get('mask')?.shape[0];
  for (const [key, { shape }] of first ?? []) {
    if (key === 'mask' || shape[0] !== size) continue;
    const parts = batches.map((batch) =>
      rowsOf(batch.get(key) as HostArray, countedRows(batch.get('mask') as HostArray)),
    );
    found.set(key, joinRows(parts));
  }
  return found;
}
