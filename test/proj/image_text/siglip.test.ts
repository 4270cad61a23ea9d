// Training runs recorded from the original's trainer, on one device and on eight.

import { type HostArray } from '../../../core/array';
import { XlaRuntime } from '../../../plugins/xla';
import { expectCase, type GoldenCase, goldenCases, readCase } from '../../support/golden';
import { trainCase } from '../../support/train';

const folders = goldenCases(({ name }) => name === 'trainers/proj/image_text/siglip').map(
  ({ folder }) => folder,
);

/** The case with a key of ours in its config: the trainer is a plugin here. */
const with_ = (golden: GoldenCase, options: object): GoldenCase => ({
  ...golden,
  args: { config: { ...(golden.args.config as object), image_text: options } },
});

describe.each([1, 8])('%d devices', (devices) => {
  let runtime: XlaRuntime;
  beforeAll(async () => {
    runtime = await XlaRuntime.create({ platform: 'cpu', devices });
  });
  afterAll(() => runtime.dispose());

  test.each(folders)('%s', async (folder) => {
    const golden = await readCase(folder);
    const got = await trainCase(runtime, with_(golden, {}));
    expectCase(got, golden);
    // The temperature and the bias are logged as the loss uses them, before the update.
    const { temperature_init, bias_init } = (golden.args.config as { model: Record<string, number> }).model;
    const first = (name: string) => (got.get(name) as HostArray).data[0];
    expect([first('t'), first('b')]).toEqual([
      expect.closeTo(temperature_init!, 4),
      expect.closeTo(bias_init!, 4),
    ]);
  });
});

test('the softmax of CLIP gives the same on one device and on eight', async () => {
  const golden = await readCase(folders[0] as string);
  const trainOn = async (devices: number) => {
    const runtime = await XlaRuntime.create({ platform: 'cpu', devices });
    const got = await trainCase(runtime, with_(golden, { loss: 'softmax' }));
    runtime.dispose();
    return got;
  };
  // One after the other: a process has one active runtime.
  const one = await trainOn(1);
  const eight = await trainOn(8);
  const recorded = (name: string) => golden.outputs.has(name) || name === 't' || name === 'b';
  const compared = [...one].filter(([name]) => recorded(name));
  expectCase(eight, { ...golden, outputs: new Map(compared) });
  expect((one.get('training_loss') as HostArray).data[0]).not.toBeCloseTo(
    golden.outputs.get('training_loss')!.data[0] as number,
    2,
  );
});

test('the sigmoid loss needs a bias', async () => {
  const golden = await readCase(folders[0] as string);
  const config = golden.args.config as { model: object };
  const runtime = await XlaRuntime.create({ platform: 'cpu' });
  const without = { ...golden, args: { config: { ...config, model: { ...config.model, bias_init: null } } } };
  await expect(trainCase(runtime, with_(without, {}))).rejects.toThrow(/set model.bias_init .* "softmax"/s);
  runtime.dispose();
});
