// A training run recorded from the original with sizes that change from step to step, and how many programs it takes.

import * as path from 'node:path';
import { hostArray, type HostArray } from '../../../core/array';
import { Scope } from '../../../core/layers/scope';
import type { Batch, Params } from '../../../core/extensions';
import type { NestedRecord } from '../../../core/tree';
import { XlaRuntime } from '../../../plugins/xla';
import { flexiOptions, flexiVit } from '../../../proj/flexivit/model';
import { arraysUnder, expectCase, goldenRoot, readCase } from '../../support/golden';
import { fetchAll, sendAll } from '../../support/runtimes';
import { trainCase } from '../../support/train';

jest.setTimeout(120_000);

let runtime: XlaRuntime;
beforeAll(async () => {
  runtime = await XlaRuntime.create({ platform: 'cpu' });
});
afterAll(() => runtime.dispose());

test('trains as the original, with one program for each size', async () => {
  const golden = await readCase('train_flexi');
  const jit = jest.spyOn(runtime, 'jit');
  expectCase(await trainCase(runtime, golden), golden);
  const step = jit.mock.calls.findIndex(([, { name }]) => name === 'train step');
  const { programs } = jit.mock.results[step]?.value as { programs: number };
  // Eight steps with the sizes 3, 2, 4, 4, 3, 2, 3, 4.
  expect(programs).toBe(3);
});

test("loads a ViT's checkpoint: the embedding is resampled, and so are positions", async () => {
  const { args, inputs, ...golden } = await readCase('load_flexi_vit');
  const model = flexiVit(flexiOptions.parse(args.model));
  const init = arraysUnder(inputs, 'init') as NestedRecord<HostArray>;
  const file = path.join(goldenRoot, golden.folder, args.init_file as string);
  const params = sendAll(runtime, await model.load!(init, file, {})) as Params;
  const forward = runtime.jit(
    (given: Params, batch: Batch) =>
      model.apply(Scope.reading(given), batch, { train: false, seqhw: args.seqhw }).output,
    { name: 'flexi' },
  );
  const image = inputs.get('image') ?? hostArray('float32', [0], []);
  const output = forward(params, sendAll(runtime, { image }) as Batch);
  const got = new Map([
    ...(await fetchAll(runtime, params, 'params/')),
    ...(await fetchAll(runtime, { logits: output })),
  ]);
  expectCase(got, { args, inputs, ...golden });
});

test('the name of a released checkpoint says what to download', async () => {
  const model = flexiVit(flexiOptions.parse({ num_classes: 2, variant: 'mu' }));
  await expect(model.load!({}, 'FlexiViT-B i1k', {})).rejects.toThrow(
    /download https:\/\/storage.googleapis.com\/big_vision\/flexivit\/flexivit_b_i1k.npz/,
  );
});
