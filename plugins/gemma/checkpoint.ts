// Parameters of Gemma from a file; the words of a larger vocabulary are added.

import { type HostArray, hostArray } from '../../core/array';
import { loadParams, mergeParams } from '../../core/checkpoint/load-params';
import { catalogue } from '../../core/errors';
import type { ParamArrays } from '../../core/extensions';
import { toFloat32 } from '../../core/half';

const errors = catalogue('gemma', {
  smaller: (v: { file: string; found: number; wanted: number }) => ({
    what: `"${v.file}" has ${v.found} words, and the model only ${v.wanted}.`,
    fix: `set vocab_size to ${v.found} or more.`,
  }),
});

/** Standard deviation of words that a checkpoint doesn't have. */
const newWordDeviation = 0.02;

/** Names that match a pattern of `dont_load` keep their initial values. */
export async function loadGemma(
  init: ParamArrays,
  file: string,
  dont_load?: readonly string[],
): Promise<ParamArrays> {
  const loaded = await loadParams(file);
  const [known, wanted] = [loaded, init].map(
    ({ embedder }) => (embedder as ParamArrays | undefined)?.input_embedding as HostArray | undefined,
  );
  if (!known || !wanted || known.shape[0] === wanted.shape[0]) return mergeParams(loaded, init, dont_load);
  const [found = 0, rows = 0] = [known.shape[0], wanted.shape[0]];
  if (found > rows) throw errors.smaller({ file, found, wanted: rows });
  const embedder = { input_embedding: withNewWords(known, wanted) };
  return mergeParams({ ...loaded, embedder }, init, dont_load);
}

/** The words of a checkpoint, and after them the model's own, whose initial deviation is 1 / sqrt(width). */
function withNewWords(known: HostArray, init: HostArray): HostArray {
  const [, width] = init.shape as [number, number];
  const words = Float32Array.from(init.data, (value) => value * newWordDeviation * Math.sqrt(width));
  words.set(toFloat32(known).data);
  return hostArray('float32', init.shape, words);
}
