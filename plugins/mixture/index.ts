// What transformers have in common whose tokens are real-valued vectors: distributions of them, and guidance.

import { definePlugin } from '../../core/plugin';

export { type Density, density, numLogits, standardNormalNll, type Temperatures } from './density';
export { type Guided, guided } from './guidance';

export default definePlugin({
  name: 'mixture',
  version: '0.1.0',
  core: '^0.1.0',
  doc: 'Distributions of real-valued tokens: mixtures of normal distributions, and guidance of what is drawn from them.',
});
