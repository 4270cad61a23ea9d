import { join } from 'node:path';
import { hostArray } from '../../../core/array';
import { loadParams, mergeParams } from '../../../core/checkpoint/load-params';
import { saveNpz } from '../../../core/checkpoint/npz';
import { CheckpointStore } from '../../../core/checkpoint/store';
import { UserError } from '../../../core/errors';
import type { ParamArrays } from '../../../core/extensions';
import { temporaryFolder } from '../../support/temporary';

const scalar = (value: number) => hostArray('float32', [], [value]);
const kernel = scalar(1);
const bias = scalar(2);

test('where the parameters are: under params, under opt/target, or all of it', async () => {
  const head = { kernel, bias };
  const load = async (tree: object, key = '') => {
    const file = join(temporaryFolder(), 'x.npz');
    await saveNpz(file, tree as never);
    return loadParams(file + key);
  };
  expect(await load({ params: { head }, opt: { target: { kernel } } })).toEqual({ head });
  expect(await load({ opt: { target: { head }, state: { bias } } })).toEqual({ head });
  expect(await load({ head })).toEqual({ head });
  expect(await load({ params: { img: { head } } }, ':img/head')).toEqual(head);
  await expect(load({ params: { img: { head } } }, ':txt')).rejects.toThrow(
    /no "txt".*\nTry: one of: img, img\/head/,
  );
});

test('a run’s checkpoint: the newest of a workdir, or one by its folder', async () => {
  const workdir = temporaryFolder();
  const store = new CheckpointStore(join(workdir, 'checkpoints'), () => undefined);
  for (const step of [1, 2]) {
    const arrays = [['params/img/kernel', scalar(step)] as const, ['opt/count', scalar(9)] as const];
    store.save({ step, arrays, meta: {}, keep: true }, async () => undefined);
  }
  await store.finish();
  expect(await loadParams(workdir)).toEqual({ img: { kernel: scalar(2) } });
  expect(await loadParams(`${workdir}:img`)).toEqual({ kernel: scalar(2) });
  expect(await loadParams(`${workdir}/checkpoints/000000001`)).toEqual({ img: { kernel: scalar(1) } });
  await expect(loadParams(`${workdir}/nothing`)).rejects.toThrow(/no file or folder/);
});

test('what can’t be a file here', async () => {
  await expect(loadParams('x.npz')).rejects.toThrow(/no slash.*\nTry: ".\/x.npz"/);
  await expect(loadParams('gs://bucket/x.npz:img')).rejects.toThrow(/bucket.*\nTry: download/);
  await expect(loadParams('./nothing.npz')).rejects.toThrow(UserError);
});

test('merging: values of the file, but for what dont_load names', () => {
  const loaded = { head: { kernel, bias }, extra: { x: kernel } } as ParamArrays;
  const inited = { head: { kernel: scalar(5), bias: scalar(6) }, made: scalar(7) } as ParamArrays;
  expect(mergeParams(loaded, inited, ['head/b.*', 'extra/x', 'made'])).toEqual({
    head: { kernel, bias: scalar(6) },
    made: scalar(7),
  });
  expect(() => mergeParams(loaded, inited, ['extra', 'made'])).toThrow(/^ \+ extra\/x$/m);
  expect(() => mergeParams(loaded, inited, ['extra/.*'])).toThrow(/^ - made$/m);
});
