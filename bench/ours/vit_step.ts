// Our side of bench/vit_step.ts: one JSON object on stdout.

import * as tf from '../../core/tensor';
import { vitStep } from './vit';

const [variant = 'Ti/16', ...sizes] = process.argv.slice(2);
const [resolution = 224, batchSize = 8, steps = 15] = sizes.map(Number);

async function main(): Promise<void> {
  const { runtime, program, batch, key, ...initial } = await vitStep({
    model: { variant },
    resolution,
    batchSize,
  });
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
