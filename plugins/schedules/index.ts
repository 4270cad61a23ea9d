// Learning-rate schedules: the names are the values of `decay_type` in a config's `schedule`.

import { definePlugin } from '../../core/plugin';
import { cosine, polynomial, rsqrt, scheduleOf, stair } from './decay';
import { cosineOptions, decayOptions, rsqrtOptions, stairOptions } from './options';

const around = ' Options add a linear warm-up from 0 and a linear cool-down to 0.';

export default definePlugin({
  name: 'schedules',
  version: '0.1.0',
  core: '^0.1.0',
  doc: 'Learning-rate schedules: cosine, linear, polynomial, rsqrt and stair, with warm-up and cool-down.',

  register({ register }) {
    register('schedule', 'cosine', {
      doc: `Half a period of a cosine: (1 + cos(pi p)) / 2, p from 0 to 1 over the run (arXiv:1608.03983).${around}`,
      options: cosineOptions,
      create: (options) => (length) => scheduleOf(cosine, options, length),
    });
    for (const name of ['linear', 'polynomial']) {
      register('schedule', name, {
        doc: `From 1 to end as end + (1 - end) (1 - p)^power, p from 0 to 1 over the run; linear unless power is set.${around}`,
        options: decayOptions,
        create: (options) => (length) => scheduleOf(polynomial, options, length),
      });
    }
    register('schedule', 'rsqrt', {
      doc: `Reciprocal square root, 1 / sqrt(1 + (step - warmup + shift) / timescale), for runs without a fixed end (arXiv:2106.04560).${around}`,
      options: rsqrtOptions,
      create: (options) => (length) => scheduleOf(rsqrt, options, length),
    });
    register('schedule', 'stair', {
      doc: `Piecewise constant: mults[i] from steps[i] on, and 1 before; constant without options. The default.${around}`,
      options: stairOptions,
      create: (options) => (length) => scheduleOf(stair, options, length),
    });
  },
});
