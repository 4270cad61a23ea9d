// State that steps hand on: whole as long as nobody looks, ordinary tensors when somebody does. In a file of its own: it
// counts native objects, and what other tests leave to the collector would go meanwhile.

import * as tf from '@tensorflow/tfjs-core';
import { hostArray } from '../../../core/array';
import { useXla } from './support';

interface State {
  w: tf.Tensor[];
  step: tf.Tensor;
  extra?: tf.Tensor;
}

const holder = useXla();
const put = (...data: number[]) => holder.runtime.toDevice(hostArray('float32', [data.length], data));
const list = (x: tf.Tensor) => Array.from(x.dataSync());
const start = (leaves = 20): State => ({ w: Array.from({ length: leaves }, (_, i) => put(i)), step: put(0) });

const program = () =>
  holder.runtime.jit(
    (state: State, x: tf.Tensor) => ({
      state: { w: state.w.map((w) => tf.add(w, x)), step: tf.add(state.step, 1) } as State,
      loss: tf.sum(x),
    }),
    { name: 'state', donate: [0] },
  );

/** Waits until the runtime has so many native objects; the test's time limit ends it otherwise. */
async function settle(expected: number): Promise<void> {
  await holder.runtime.idle();
  while (holder.runtime.liveObjects !== expected) await new Promise((resolve) => setImmediate(resolve));
}

test('200 steps leave as many native buffers as one, and as many tensors', async () => {
  const f = program();
  const x = put(1);
  let { state, loss } = f(start(), x);
  const [native, tensors] = [holder.runtime.liveObjects - 21, tf.memory().numTensors];
  await settle(native);
  for (let i = 1; i < 200; i++) {
    loss.dispose();
    ({ state, loss } = f(state, x));
    await settle(native);
  }
  expect(tf.memory().numTensors).toBe(tensors);
  expect(f.programs).toBe(1);
  expect(list(state.step)).toEqual([200]);
  expect(state.w.map((w) => list(w)[0])).toEqual(Array.from({ length: 20 }, (_, i) => i + 200));
  tf.dispose([loss, x]);
  tf.dispose(state as unknown as tf.TensorContainer);
  expect(tf.memory().numTensors).toBe(tensors - 2);
  await settle(native - 23);
});

test('looking at it between steps changes nothing', () => {
  const f = program();
  let { state } = f(start(2), put(1));
  for (let i = 2; i <= 6; i++) {
    if (i % 2 === 0) expect(list(state.w[1]!)).toEqual([i]);
    ({ state } = f(state, put(1)));
  }
  expect(list(state.step)).toEqual([6]);
  expect(f.programs).toBe(1);
});

test("a tidy doesn't end what was made outside of it, and ends what is made in it", () => {
  const f = program();
  const { state } = f(start(2), put(1));
  tf.tidy(() => expect(list(state.step)).toEqual([1]));
  expect(list(state.step)).toEqual([1]);
  const inner = tf.tidy(() => {
    const { state } = f(start(2), put(1));
    return state.step;
  });
  expect(list(inner)).toEqual([1]);
});

test('once a step took it, its tensors are gone and say so', () => {
  const f = program();
  const { state: old } = f(start(2), put(1));
  f(old, put(1));
  expect(() => list(old.step)).toThrow('donated to "state"');
  expect(() => f(old, put(1))).toThrow('donated to "state"');
  tf.dispose(old as unknown as tf.TensorContainer);
});

test('a changed state goes leaf by leaf', () => {
  const f = program();
  const { state } = f(start(2), put(1));
  state.step = put(41);
  expect(list(f(state, put(1)).state.step)).toEqual([42]);

  const grown = f(start(2), put(1)).state;
  grown.extra = put(1);
  const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  expect(list(f(grown, put(1)).state.step)).toEqual([2]);
  expect(warn.mock.calls[0]![0]).toContain('argument 0 has another structure');
  warn.mockRestore();
});

test('a function that takes no state gets tensors', () => {
  const { state } = program()(start(3), put(1));
  const sum = holder.runtime.jit((s: State) => tf.addN(s.w), { name: 'sum' });
  expect(list(sum(state))).toEqual([6]);
  expect(list(state.step)).toEqual([1]);
});
