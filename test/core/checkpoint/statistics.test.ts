import { join } from 'node:path';
import fc from 'fast-check';
import { hostArray } from '../../../core/array';
import { openArchive } from '../../../core/checkpoint/open';
import { saveNpz } from '../../../core/checkpoint/npz';
import { statisticsOf } from '../../../core/checkpoint/statistics';
import { temporaryFolder } from '../../support/temporary';

const file = join(temporaryFolder(), 'x.npz');

async function of(array: ReturnType<typeof hostArray>) {
  await saveNpz(file, { array });
  const archive = await openArchive(file);
  try {
    return await statisticsOf(archive, 'array');
  } finally {
    await archive.close();
  }
}

test('min, mean, max and standard deviation are those of the values', async () => {
  const values = fc.array(fc.float({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }), {
    minLength: 1,
    maxLength: 50,
  });
  await fc.assert(
    fc.asyncProperty(values, async (list) => {
      const { min, mean, max, std } = await of(hostArray('float32', [list.length], list));
      const average = list.reduce((sum, x) => sum + x, 0) / list.length;
      // -0 and 0 are one number.
      expect(min! + 0).toBe(Math.min(...list) + 0);
      expect(max! + 0).toBe(Math.max(...list) + 0);
      expect(mean).toBeCloseTo(average, 4);
      const variance = list.reduce((sum, x) => sum + (x - average) ** 2, 0) / list.length;
      expect(std).toBeCloseTo(Math.sqrt(variance), 3);
    }),
    { numRuns: 30 },
  );
});

test('nothing cancels far from zero, over many pieces', async () => {
  const values = Float32Array.from({ length: 200_000 }, (_, i) => 1e6 + (i % 2));
  const { mean, std } = await of(hostArray('float32', [values.length], values));
  expect(mean).toBeCloseTo(1e6 + 0.5, 6);
  expect(std).toBeCloseTo(0.5, 6);
});

test('what is not finite is counted and left out; halves are numbers', async () => {
  expect(await of(hostArray('float32', [5], [NaN, 1, Infinity, 3, -Infinity]))).toEqual({
    ...{ min: 1, mean: 2, max: 3, std: 1 },
    ...{ nan: 1, infinite: 2 },
  });
  expect(await of(hostArray('bfloat16', [2], [0x3f80, 0xbf80]))).toMatchObject({ min: -1, max: 1, mean: 0 });
  expect(await of(hostArray('float16', [2], [0x3c00, 0x7e00]))).toMatchObject({ min: 1, max: 1, nan: 1 });
  expect(await of(hostArray('float32', [0, 3], []))).toMatchObject({ min: null, mean: null, nan: 0 });
});
