import { catalogue } from '../../core/errors';

export const errors = catalogue('schedule', {
  warmup: (v: { warmup: number; total: number }) => ({
    what: `The schedule warms up for ${v.warmup} steps, but the run has only ${v.total}.`,
    fix: 'a shorter warm-up, such as schedule.warmup_percent=0.1, or a longer run.',
  }),
  stair: (v: { step: number; total: number; steps: readonly number[]; mults: readonly number[] }) => ({
    what: `The schedule has ${v.steps.length} steps but ${v.mults.length} mults: none from step ${v.step} on, in a run of ${v.total} steps.`,
    fix: `as many numbers in schedule.mults as in schedule.steps, such as ${JSON.stringify(v.steps.map((_, i) => v.mults[i] ?? 0.1 ** i))}.`,
  }),
});
