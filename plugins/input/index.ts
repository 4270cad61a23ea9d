// The input pipeline of every run, as the service `tokens.input`.

import { definePlugin } from '../../core/plugin';
import { tokens } from '../../core/train/run';
import { createPipeline } from './pipeline';

export { createPipeline } from './pipeline';
export { Order, Permutation } from './order';
export { exampleRng } from './rng';

export default definePlugin({
  name: 'input',
  version: '0.1.0',
  core: '^0.1.0',
  doc: 'Turns data sources and preprocessing into batches, in an order that can be entered anywhere.',

  register({ container }) {
    container.provideLazily(tokens.input, [tokens.registry], (registry) =>
      createPipeline(registry, container),
    );
  },
});
