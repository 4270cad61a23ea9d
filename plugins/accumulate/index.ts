// Gradient accumulation: the config's `grad_accum_steps`.

import { z } from 'zod';
import { catalogue } from '../../core/errors';
import { registerParity } from '../../core/parity/register';
import { definePlugin } from '../../core/plugin';
import { Stage } from '../../core/hooks';
import { accumulateGradient } from './accumulate';
import { accumulateRunners } from './parity';

export { accumulateGradient } from './accumulate';

const errors = catalogue('accumulate', {
  indivisible: (v: { batch_size: number; steps: number; devices: number }) => ({
    what: `grad_accum_steps is ${v.steps}, but input.batch_size is ${v.batch_size}, which doesn't divide into ${v.steps} parts over ${v.devices} devices.`,
    fix: `make input.batch_size a multiple of ${v.steps * v.devices}.`,
  }),
});

/** Several passes over parts of the batch for one update, in the hook `gradients`; under whatever else taps it. */
export default definePlugin({
  name: 'grad_accum_steps',
  version: '0.1.0',
  core: '^0.1.0',
  doc: 'Splits each batch into parts whose gradients are averaged, to save memory: grad_accum_steps=4.',
  options: z.int().min(1).describe('how many parts; 1 is off'),
  register: ({ register }) => registerParity(register, accumulateRunners),
  apply(hooks, steps) {
    hooks.gradients.tap(
      { name: 'grad_accum_steps', stage: Stage.early },
      (gradients, { length, runtime }) => {
        const { batch_size } = length;
        const devices = runtime.mesh.size;
        if (batch_size % (steps * devices) !== 0) throw errors.indivisible({ batch_size, steps, devices });
        return accumulateGradient(gradients, steps);
      },
    );
  },
});
