// Sizes, and what its loader makes of a smaller vocabulary.

import * as path from 'node:path';
import { hostArray } from '../../../core/array';
import { saveNpz } from '../../../core/checkpoint/npz';
import { gemmaOptions, loadGemma } from '../../../plugins/gemma';
import { resolveOptions } from '../../../plugins/gemma/options';
import { temporaryFolder } from '../../support/temporary';

test('a variant gives the sizes, and options override it', () => {
  const { depth, num_kv_heads, post_norms, vocab_size } = resolveOptions(
    gemmaOptions.parse({ variant: 'gemma2_9b', vocab_size: 257_152 }),
  );
  expect([depth, num_kv_heads, post_norms, vocab_size]).toEqual([42, 8, true, 257_152]);
});

test('sizes that are missing or do not fit are errors', () => {
  expect(() => resolveOptions(gemmaOptions.parse({ width: 8 }))).toThrow(
    /doesn't know its depth, mlp_dim, num_heads/,
  );
  const odd = gemmaOptions.parse({ variant: 'gemma_2b', num_kv_heads: 3 });
  expect(() => resolveOptions(odd)).toThrow(/8 heads of queries can't share 3 of keys/);
});

describe('words that a checkpoint does not have', () => {
  const tree = (rows: number, value: number) => ({
    embedder: { input_embedding: hostArray('float32', [rows, 4], new Float32Array(rows * 4).fill(value)) },
  });
  const file = path.join(temporaryFolder(), 'gemma.npz');
  beforeAll(() => saveNpz(file, tree(2, 7)));

  test('come after its own, from the initial values', async () => {
    const loaded = (await loadGemma(tree(3, 0.5), file)) as ReturnType<typeof tree>;
    const { shape, data } = loaded.embedder.input_embedding;
    expect(shape).toEqual([3, 4]);
    expect([...data.slice(0, 8)]).toEqual(new Array(8).fill(7));
    // 0.5 is one initial deviation here, and stays one of 0.02.
    for (const value of data.slice(8)) expect(value).toBeCloseTo(0.02, 7);
  });

  test('a model with fewer words is an error', async () => {
    await expect(loadGemma(tree(1, 0), file)).rejects.toThrow(/has 2 words, and the model only 1/);
  });
});
