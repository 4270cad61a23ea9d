// A training run recorded from the original with sizes that change from step to step, and how many programs it takes.

import { XlaRuntime } from '../../../plugins/xla';
import { flexiOptions, flexiVit } from '../../../proj/flexivit/model';
import { expectCase, readCase } from '../../support/golden';
import { trainCase } from '../../support/train';

let runtime: XlaRuntime;
beforeAll(async () => {
  runtime = await XlaRuntime.create({ platform: 'cpu' });
});
afterAll(() => runtime.dispose());

test('trains as the original, with one program for each size', async () => {
  const golden = await readCase('train_flexi');
  const jit = jest.spyOn(runtime, 'jit');
  const warned = jest.spyOn(process, 'emitWarning');
  expectCase(await trainCase(runtime, golden), golden);
  const step = jit.mock.calls.findIndex(([, { name }]) => name === 'train step');
  const { programs } = jit.mock.results[step]?.value as { programs: number };
  // Eight steps with the sizes 3, 2, 4, 4, 3, 2, 3, 4.
  expect(programs).toBe(3);
  // They are meant.
  expect(warned.mock.calls.filter(([, kind]) => kind === ('RetraceWarning' as never))).toEqual([]);
  warned.mockRestore();
});

test('the name of a released checkpoint says what to download', async () => {
  const model = flexiVit(flexiOptions.parse({ num_classes: 2, variant: 'mu' }));
  await expect(model.load!({}, 'FlexiViT-B i1k', {})).rejects.toThrow(
    /download https:\/\/storage.googleapis.com\/big_vision\/flexivit\/flexivit_b_i1k.npz/,
  );
});
