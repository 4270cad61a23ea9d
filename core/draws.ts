// Random numbers for looking at preprocessing and comparing it, outside of runs.

import type { ExampleRng } from './extensions';
import * as tf from './tensor';
import { threefryBits } from './tensor/threefry';
import { uniformOf } from './uniform';

/** Independent numbers for each draw of a seed. */
export function drawRng(seed: number, draw: number): ExampleRng {
  const key = tf.random.foldIn(tf.random.key(seed), draw);
  let count = 0;
  const uniform = () => {
    const [high, low] = threefryBits(tf.random.foldIn(key, count++), 2) as unknown as [number, number];
    return uniformOf(high, low);
  };
  return { uniform, integer: (low, high) => low + Math.floor(uniform() * (high - low)) };
}
