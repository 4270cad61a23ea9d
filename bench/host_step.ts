// What a train step costs the host, and that nothing grows over many steps: a ViT with as many parameters as ViT-L/16,
// too narrow to keep the device busy. Linux only.
//
//   node --expose-gc -r ./core/register bench/host_step.ts [STEPS] [DEPTH] [WIDTH]
//
// With --expose-gc garbage is collected before memory is looked at (that time isn't counted): what grows then is kept.
// The step is the trainer's: batch to the device, the program, the row of metrics. `main thread` is processor time of the
// main thread, waiting for the device included as far as it costs any; `dispatch` is the time until the call of the step
// returns, which other load on the machine lengthens.

import * as fs from 'node:fs';
import { hostArray } from '../core/array';
import { createHooks } from '../core/hooks';
import { silentProgress } from '../core/progress';
import { engine } from '@tensorflow/tfjs-core';
import * as tf from '../core/tensor';
import { StepLog } from '../core/train/log';
import { MetricsWriter } from '../core/train/metrics';
import type { XlaRuntime } from '../plugins/xla';
import { trainStep } from './ours/step';

const [steps = 2000, depth = 24, width = 16] = process.argv.slice(2).map(Number) as (number | undefined)[];
const warmUp = Math.min(200, Math.floor(steps / 4));
/** As in the trainer. */
const maxInFlight = 2;

/** Processor time of this thread, in ms. */
const cpuTime = () => Number(fs.readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[0]) / 1e6;

const quantile = (values: readonly number[], q: number) =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * q))] as number;

async function main(): Promise<void> {
  const made = await trainStep({
    model: 'vit',
    options: {
      width,
      depth,
      num_heads: 2,
      mlp_dim: 32,
      patch_size: [8, 8],
      num_classes: 1000,
      rep_size: true,
    },
    image: [2, 16, 16, 3],
    classes: 1000,
  });
  const { run, program, key, parameters } = made;
  const runtime = made.runtime as XlaRuntime;
  let { state } = made;
  const writer = new MetricsWriter(undefined, 0);
  const log = new StepLog({ hooks: createHooks(), run, runtime, writer, progress: silentProgress });
  const image = hostArray('float32', [2, 16, 16, 3], new Float32Array(2 * 16 * 16 * 3).fill(0.5));
  const labels = hostArray('float32', [2, 1000], new Float32Array(2000).fill(1e-3));

  const dispatch: number[] = [];
  const rows: Record<string, number>[] = [];
  let lookingCpu = 0;
  let lookingWall = 0;
  const look = async (step: number) => {
    await log.settled();
    const start = [cpuTime(), performance.now()] as const;
    globalThis.gc?.();
    rows.push({
      step,
      'RSS MB': Math.round(process.memoryUsage().rss / 2 ** 20),
      'JS heap MB': Math.round(process.memoryUsage().heapUsed / 2 ** 20),
      'native objects': runtime.liveObjects,
      tensors: engine().state.numTensors,
    });
    lookingCpu += cpuTime() - start[0];
    lookingWall += performance.now() - start[1];
  };
  let cpu = 0;
  let wall = 0;
  for (let step = 1; step <= steps; step++) {
    if (step === warmUp + 1) {
      [cpu, wall] = [cpuTime(), performance.now()];
      lookingCpu = lookingWall = 0;
    }
    const start = performance.now();
    const batch = { image: runtime.toDevice(image), labels: runtime.toDevice(labels) };
    const result = program(state, batch, key, {});
    if (step > warmUp) dispatch.push(performance.now() - start);
    state = result.state;
    tf.dispose(Object.values(batch));
    log.open(step, result.metrics, step % 50 === 0);
    await log.settled(maxInFlight);
    log.close(step);
    if (step === warmUp || step % Math.ceil(steps / 8) === 0) await look(step);
  }
  const counted = steps - warmUp;
  console.log(`ViT of depth ${depth} and width ${width}: ${parameters} parameters`);
  console.table({
    'main thread ms a step': Number(((cpuTime() - cpu - lookingCpu) / counted).toFixed(2)),
    'wall ms a step': Number(((performance.now() - wall - lookingWall) / counted).toFixed(2)),
    'dispatch ms, median': Number(quantile(dispatch, 0.5).toFixed(2)),
    'dispatch ms, 99 %': Number(quantile(dispatch, 0.99).toFixed(2)),
    'dispatch ms, max': Number(quantile(dispatch, 1).toFixed(2)),
  });
  console.table(rows);
  await runtime.dispose();
}

void main();
