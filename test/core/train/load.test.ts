import { hostArray } from '../../../core/array';
import { mergeParams } from '../../../core/checkpoint/load-params';
import { describeLoad } from '../../../core/train/load';

const array = (value: number) => hostArray('float32', [1], [value]);

test('what was loaded and what was not is told', () => {
  const init = { head: { kernel: array(0), bias: array(0) }, body: array(0) };
  // Equal values tell nothing: it counts where an array comes from.
  const file = { head: { kernel: array(0), bias: array(1) }, body: array(0) };
  expect(describeLoad(init, mergeParams(file, init))).toBe('3 of 3 parameters');
  expect(describeLoad(init, mergeParams(file, init, ['head/.*']))).toBe(
    '1 of 3 parameters; not loaded: head/bias, head/kernel',
  );
});
