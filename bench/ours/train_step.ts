// Our side of bench/train_steps.ts, for a job and a number of steps: one JSON object on stdout.

import * as tf from '../../core/tensor';
import { type Job, trainStep } from './step';

const [job = '{}', count = '15'] = process.argv.slice(2);
const steps = Number(count);

async function main(): Promise<void> {
  const { runtime, program, batch, key, ...initial } = await trainStep(JSON.parse(job) as Job);
  let { state } = initial;
  const compiled = program.compile(state, batch, key, {});

  const losses: number[] = [];
  const step_ms: number[] = [];
  for (let i = 0; i < steps; i++) {
    const start = performance.now();
    const result = program(state, batch, key, {});
    state = result.state;
    losses.push((await runtime.toHost(result.metrics.training_loss as tf.Tensor)).data[0] as number);
    step_ms.push(performance.now() - start);
    tf.dispose(Object.values(result.metrics));
  }
  const peak_mb = process.resourceUsage().maxRSS / 1024;
  const { traceSeconds: trace_s, compileSeconds: compile_s, flops, memory } = compiled;
  process.stdout.write(
    `${JSON.stringify({ trace_s, compile_s, flops, memory, step_ms, losses, peak_mb })}\n`,
  );
  await runtime.dispose();
}

void main();
