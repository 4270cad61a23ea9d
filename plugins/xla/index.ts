// The XLA runtime as a plugin.

import { z } from 'zod';
import { definePlugin } from '../../core/plugin';
import { install, installed } from './install';
import { pluginWheels } from './pjrt/wheels';
import { platforms } from './platform';
import { XlaRuntime } from './runtime';

export { type XlaOptions, XlaRuntime } from './runtime';

export default definePlugin({
  name: 'xla',
  version: '0.1.0',
  core: '^0.1.0',
  doc: 'Runs everything as XLA programs, on CPU, GPU and TPU.',
  register({ register }) {
    register('runtime', 'xla', {
      doc: 'Compiles each jitted function to one XLA program, and runs it through a PJRT plugin.',
      options: z.strictObject({
        platform: z
          .enum(['auto', ...platforms])
          .default('auto')
          .describe('Which PJRT plugin runs; auto takes an accelerator where one is, and the CPU otherwise.'),
        devices: z
          .int()
          .positive()
          .optional()
          .describe('Virtual devices of the CPU platform; BV_CPU_DEVICES otherwise, or 1.'),
      }),
      create: (options) => (asked) => XlaRuntime.create({ ...asked, ...options }),
    });
    for (const name of platforms) {
      register('installer', name, {
        doc: `The PJRT plugin for ${name}, from PyPI wheels with pinned hashes.`,
        options: z.strictObject({}),
        create: () => ({
          runtime: 'xla',
          automatic: name === 'cpu',
          installed() {
            const file = installed(name);
            return file === undefined ? undefined : { file, version: pluginWheels[name].wheels[0].version };
          },
          async install(note) {
            await install(name, { log: note });
          },
        }),
      });
    }
  },
});
