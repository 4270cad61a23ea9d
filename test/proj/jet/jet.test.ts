// Five steps of training against a recording of the original; the flow and its initial values are compared by test/cli/parity.

import { expectCase, readCase } from '../../support/golden';
import { trainCase } from '../../support/train';
import { XlaRuntime } from '../../../plugins/xla';
import { gridOf, spatialMasks } from '../../../proj/jet/masks';
import * as tf from '../../../core/tensor';

let runtime: XlaRuntime;
beforeAll(async () => {
  runtime = await XlaRuntime.create({ platform: 'cpu' });
});
afterAll(() => runtime.dispose());

test('training, with noise and batches without labels', async () => {
  const golden = await readCase('train_jet');
  const { config, condition_drop_prob } = golden.args as { config: object; condition_drop_prob: number };
  const args = { config: { ...config, jet: { condition_drop_prob } } };
  const got = await trainCase(runtime, { ...golden, args });
  expectCase(got, golden);
  // Bits are what is minimised.
  expect(got.get('bits')).toEqual(got.get('training_loss'));
});

test('a size that patches do not fit, and halves that are none, are errors', () => {
  expect(() => gridOf([28, 30], 4)).toThrow(/28 by 30 pixels can't be cut into patches of 4/);
  const odd = spatialMasks(['checkerboard'], gridOf([6, 6], 2));
  expect(() => odd(tf.zeros([2], 'int32'), [1, 9, 9])).toThrow(/"checkerboard" doesn't cut 3 by 3 patches/);
});
