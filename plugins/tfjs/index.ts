// tfjs's eager backends as runtimes.

import { z } from 'zod';
import { definePlugin } from '../../core/plugin';
import type { RuntimeOptions } from '../../core/runtime';
import type * as cpu from './cpu';
import type * as eager from './runtime';
import type * as tensorflow from './tensorflow';
import type * as wasm from './wasm';

/* eslint-disable @typescript-eslint/no-require-imports -- a backend is loaded by who runs on it */
const start = (backend: eager.EagerBackend, options: RuntimeOptions) =>
  (require('./runtime') as typeof eager).createEagerRuntime(backend, options);
const backends: readonly (eager.EagerBackend & { readonly doc: string })[] = [
  {
    name: 'wasm',
    description: 'tfjs on WebAssembly, one thread',
    doc: 'Eager, on any machine with Node: for small models, and where there is no XLA.',
    prepare: () => (require('./wasm') as typeof wasm).prepareWasm(),
  },
  {
    name: 'cpu',
    description: 'tfjs in plain JavaScript',
    doc: 'Eager and slow: a reference for tests.',
    prepare: () => (require('./cpu') as typeof cpu).prepareCpu(),
  },
  {
    name: 'tensorflow',
    description: "tfjs on TensorFlow's library",
    doc: 'Eager, for those who have @tensorflow/tfjs-node-gpu or @tensorflow/tfjs-node installed.',
    prepare: () => (require('./tensorflow') as typeof tensorflow).prepareTensorflow(),
  },
];
/* eslint-enable @typescript-eslint/no-require-imports */

export default definePlugin({
  name: 'tfjs',
  version: '0.1.0',
  core: '^0.1.0',
  doc: "Runs everything on tfjs's own backends, op by op.",
  register({ register }) {
    for (const { doc, ...backend } of backends) {
      register('runtime', backend.name, {
        doc,
        options: z.strictObject({}),
        create: () => (options) => start(backend, options),
      });
    }
  },
});
