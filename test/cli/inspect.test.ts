import * as path from 'node:path';
import { hostArray } from '../../core/array';
import { saveNpz } from '../../core/checkpoint/npz';
import { bv, expectUserError } from '../support/cli';
import { temporaryFolder } from '../support/temporary';

const folder = temporaryFolder();
const run = (...args: string[]) => bv(['inspect', ...args], { cwd: folder });
const columns = (stdout: string) => stdout.split('\n').map((line) => line.trimEnd().split(/  +/));

beforeAll(() =>
  saveNpz(path.join(folder, 'a.npz'), {
    params: {
      img: { head: { kernel: hostArray('float32', [2, 2], [1, 2, 3, 4]), bias: hostArray('bfloat16', [2], [0x3f80, 0x7fc0]) } }, // prettier-ignore
      t: hostArray('float32', [1], [10]),
    },
    opt: { count: hostArray('int32', [], [7]) },
  }),
);

test('names, types, shapes, statistics and totals', async () => {
  const { stdout, code } = await run('a.npz');
  expect(columns(stdout)).toEqual([
    ['opt/count', 'int32', '[]', '1', '7', '7', '7', '0', '0', '0'],
    ['params/img/head/bias', 'bfloat16', '[2]', '2', '1', '1', '1', '0', '1', '0'],
    ['params/img/head/kernel', 'float32', '[2, 2]', '4', '1', '2.5', '4', '1.118', '0', '0'],
    ['params/t', 'float32', '[1]', '1', '10', '10', '10', '0', '0', '0'],
    [''],
    ['a.npz (npz): 4 arrays, 8 values (1 int32, 2 bfloat16, 5 float32), 28 B'],
    ['NaN or infinite values in: params/img/head/bias'],
    [''],
  ]);
  expect(code).toBe(0);
});

test('a part, a pattern, sums of folders, names alone', async () => {
  expect(columns((await run('a.npz:img')).stdout).map(([name]) => name)).toEqual(
    expect.arrayContaining(['head/bias', 'head/kernel']),
  );
  const { stdout } = await run('./a.npz', '--params', '--match', 'kernel|t$', '--quick');
  expect(columns(stdout).slice(0, 2)).toEqual([
    ['params/img/head/kernel', 'float32', '[2, 2]', '4'],
    ['params/t', 'float32', '[1]', '1'],
  ]);
  expect(columns((await run('a.npz', '--quick', '--depth', '2')).stdout).slice(0, 3)).toEqual([
    ['opt/count', '1', '1', '4 B'],
    ['params/img/', '2', '6', '20 B'],
    ['params/t', '1', '1', '4 B'],
  ]);
});

test('--json is one object', async () => {
  const { stdout } = await run('a.npz:img/head', '--json');
  expect(JSON.parse(stdout)).toEqual({
    path: 'a.npz',
    form: 'npz',
    values: 6,
    bytes: 20,
    dtypes: { bfloat16: 2, float32: 4 },
    arrays: [
      { name: 'bias', dtype: 'bfloat16', shape: [2], values: 2, bytes: 4, min: 1, mean: 1, max: 1, std: 0, nan: 1, infinite: 0 }, // prettier-ignore
      { name: 'kernel', dtype: 'float32', shape: [2, 2], values: 4, bytes: 16, min: 1, mean: 2.5, max: 4, std: Math.sqrt(1.25), nan: 0, infinite: 0 }, // prettier-ignore
    ],
  });
});

test('mistakes', async () => {
  expectUserError(await run('b.npz'), /no file or folder "b.npz"/);
  expectUserError(await run('a.npz:image'), /no "image".*Did you mean "img"/);
  expectUserError(await run('a.npz', '--match', '('), /not a regular expression/);
  expectUserError(await run('gs://bucket/a.npz'), /in a bucket/);
});
