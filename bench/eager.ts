// What ops cost outside of a jitted function, where each is a program of its own: microseconds an op, by runtime.
//
//   node -r ./core/register bench/eager.ts [REPEATS] [RUNTIME[,RUNTIME]...]
//
// The median over the repeats, after a first call that compiles; each repeat waits for its result's values.

import { hostArray } from '../core/array';
import type { Runtime } from '../core/runtime';
import * as tf from '../core/tensor';
import { openSession } from '../core/workspace/session';

const [repeats = '200', names = 'xla,wasm'] = process.argv.slice(2);

const x = (...shape: number[]) =>
  hostArray(
    'float32',
    shape,
    Array.from({ length: shape.reduce((size, n) => size * n, 1) }, (_, i) => Math.sin(i)),
  );

const ops: Record<string, { inputs: ReturnType<typeof x>[]; run: (...inputs: tf.Tensor[]) => tf.Tensor }> = {
  'add [1]': { inputs: [x(1), x(1)], run: tf.add },
  'add [256, 1024]': { inputs: [x(256, 1024), x(256, 1024)], run: tf.add },
  'gelu [256, 1024]': { inputs: [x(256, 1024)], run: (a) => tf.gelu(a) },
  'sum [256, 1024]': { inputs: [x(256, 1024)], run: (a) => tf.sum(a) },
  'softmax [256, 1024]': { inputs: [x(256, 1024)], run: (a) => tf.softmax(a) },
  'transpose [256, 1024]': { inputs: [x(256, 1024)], run: (a) => tf.transpose(a) },
  'matMul [256, 256]': { inputs: [x(256, 256), x(256, 256)], run: (a, b) => tf.matMul(a, b) },
  'matMul [1024, 1024]': { inputs: [x(1024, 1024), x(1024, 1024)], run: (a, b) => tf.matMul(a, b) },
  'conv2d [8, 56, 56, 64], 3x3': {
    inputs: [x(8, 56, 56, 64), x(3, 3, 64, 64)],
    run: (a, b) => tf.conv2d(a as tf.Tensor4D, b as tf.Tensor4D, 1, 'same'),
  },
};

/** Microseconds of one op with its values computed. */
async function cost(runtime: Runtime, { inputs, run }: (typeof ops)[string]): Promise<number> {
  const tensors = inputs.map((input) => runtime.toDevice(input));
  const times: number[] = [];
  for (let i = 0; i <= Number(repeats); i++) {
    const start = performance.now();
    const result = tf.tidy(() => run(...tensors));
    await runtime.idle();
    if (i > 0) times.push(performance.now() - start);
    result.dispose();
  }
  tf.dispose(tensors);
  return Math.round(1000 * times.sort((a, b) => a - b)[Math.floor(times.length / 2)]!);
}

async function main(): Promise<void> {
  const table: Record<string, Record<string, number>> = Object.fromEntries(
    Object.keys(ops).map((op) => [op, {}]),
  );
  const { registry, container } = openSession(__dirname);
  for (const name of names.split(',')) {
    const runtime = await registry.create(container, 'runtime', name, {}, 'runtime')({});
    for (const [op, one] of Object.entries(ops)) table[op]![name] = await cost(runtime, one);
    await runtime.dispose();
  }
  console.log(`microseconds an op, median of ${repeats}`);
  console.table(table);
}

void main();
