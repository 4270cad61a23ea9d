import { hostArray } from '../../../core/array';
import { Container } from '../../../core/container';
import { Registry, type RunLength } from '../../../core/extensions';
import { registrarFor } from '../../../core/plugin';
import * as tf from '../../../core/tensor';
import schedules from '../../../plugins/schedules';
import { useEagerCpu } from '../../support/runtimes';
import { expectCase, goldenCases, readCase } from '../../support/golden';

useEagerCpu();

const registry = new Registry();
schedules.register?.(registrarFor(schedules, registry, Container.create()));

const run: RunLength = { total_steps: 100, batch_size: 8, data_size: 400 };
function scheduleOf({ decay_type = 'stair', ...options }: Record<string, unknown>, length: RunLength = run) {
  return registry.create(Container.create(), 'schedule', decay_type as string, options, 'schedule')(length);
}

const steps = [0, 1, 5, 50, 99, 100];
test.each([
  [{ decay_type: 'cosine', warmup_steps: 10 }, [0, 0.1, 0.5, 0.58682406, 0.00030457973, 0]],
  [
    { decay_type: 'linear', warmup_steps: 10, linear_end: 1e-5 },
    [0, 0.1, 0.5, 0.55556005, 0.011121029, 1e-5],
  ],
  [
    { decay_type: 'rsqrt', timescale: 20, warmup_steps: 10, cooldown_steps: 10 },
    [0, 0.1, 0.5, 0.57735026, 0.042835295, 0],
  ],
  [{ steps: [30, 60], mults: [0.1, 0.01] }, [1, 1, 1, 0.1, 0.01, 0.01]],
  [{ decay_type: 'polynomial', power: 2, end: 0.1 }, [1, 0.98209006, 0.91224998, 0.325, 0.10009, 0.1]],
  [{ mult: 3, warmup_steps: 0.1 }, [0, 3, 3, 3, 3, 3]],
])('%j', (options, values) => {
  const schedule = scheduleOf(options);
  steps.forEach((step, i) => {
    const close = { at: schedule.at(step), traced: schedule.traced(tf.scalar(step, 'int32')).dataSync()[0] };
    expect(close.at).toBeCloseTo(values[i] as number, 6);
    expect(close.traced).toBeCloseTo(values[i] as number, 6);
  });
});

test('what is logged on the host is what the step uses, also late in a long run', () => {
  const length = { total_steps: 50_000_000, batch_size: 8, data_size: 400 };
  for (const decay_type of ['cosine', 'linear', 'rsqrt', 'stair']) {
    const schedule = scheduleOf({ decay_type, warmup_percent: 0.1, cooldown_steps: 1000 }, length);
    for (const step of [0, 3, 5_000_000, 33_554_435, 49_999_001, 49_999_999, 50_000_000]) {
      const traced = schedule.traced(tf.scalar(step, 'int32')).dataSync()[0] as number;
      expect(Math.abs(schedule.at(step) - traced)).toBeLessThanOrEqual(1e-7);
    }
  }
});

describe('golden', () => {
  const cases = goldenCases(({ name }) => name === 'create_learning_rate_schedule');
  test.each(cases.map(({ folder }) => folder))('%s', async (folder) => {
    const golden = await readCase(folder);
    const { total_steps, batch_size, data_size, base, ...options } = golden.args as Record<string, number>;
    // Durations that refer to a size that the case leaves out count as not set.
    const length = { total_steps, batch_size, data_size } as RunLength;
    const schedule = scheduleOf(base === undefined ? options : { ...options, mult: base }, length);
    const at = Array.from(golden.inputs.get('step')?.data as Int32Array);
    const host = at.map((step) => schedule.at(step));
    const traced = at.map((step) => schedule.traced(tf.scalar(step, 'int32')).dataSync()[0] as number);
    for (const values of [host, traced]) {
      expect(expectCase(new Map([['lr', hostArray('float32', [at.length], values)]]), golden)).toBeLessThan(
        1e-6,
      );
    }
  });
});

describe('errors', () => {
  test('a warm-up that never ends', () => {
    expect(() => scheduleOf({ decay_type: 'cosine', warmup_epochs: 2 })).toThrow(
      /warms up for 100 steps, but the run has only 100/,
    );
    expect(scheduleOf({ warmup_steps: 5 }, { ...run, total_steps: 1 }).at(0)).toBe(0);
  });

  test('stairs', () => {
    expect(() => scheduleOf({ steps: [30, 20], mults: [1, 2] })).toThrow(/schedule.steps.*ascending/);
    expect(() => scheduleOf({ steps: [30, 40], mults: [1] }).at(0)).toThrow(
      /2 steps but 1 mults: none from step 40 on, in a run of 100.*\nTry: as many/,
    );
  });

  test('names', () => {
    expect(() => scheduleOf({ decay_type: 'cosin' })).toThrow(/Unknown schedule "cosin".*"?cosine/);
    expect(() => scheduleOf({ decay_type: 'cosine', warmup_step: 1 })).toThrow(/warmup_step.*warmup_steps/);
    expect(() => scheduleOf({ base: 2 })).toThrow(/Unknown key "schedule.base"/);
  });
});
