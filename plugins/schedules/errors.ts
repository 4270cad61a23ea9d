import { catalogue } from '../../core/errors';

export const errors = catalogue('schedule', {
  warmup: (v: { warmup: number; total: number }) => ({
    what: `The schedule warms up for ${v.warmup} steps, but the run has only ${v.total}.`,
    fix: 'a shorter warm-up, such as schedule.warmup_percent=0.1, or a longer run.',
  }),
});
