// Layers for models: pure functions over a scope, with the parameter names, shapes and numerics of flax.linen. A
// layer is given its own scope: `dense(scope.child('head'), x, classes)`.

import { definePlugin } from '../../core/plugin';

export {
  attendTo,
  type AttentionOptions,
  type KeysAndValues,
  keysAndValues,
  multiHeadAttention,
  queries,
} from './attention';
export { type BlocksOptions, throughBlocks } from './blocks';
export { type CodeDropout, codeDropout, codeDropouts } from './code-dropout';
export { type ConvOptions, conv2d } from './conv';
export { type DenseGeneralOptions, type DenseOptions, dense, denseGeneral } from './dense';
export { type DropoutOptions, dropout } from './dropout';
export { type EmbedOptions, attend, embed, fromEnd } from './embed';
export { imageOf } from './image';
export { type MlpOptions, mlpBlock } from './mlp';
export { type GroupNormOptions, groupNorm, inGroups, type LayerNormOptions, layerNorm } from './norm';
export { numClasses } from './options';
export {
  embedPatches,
  flattenPatches,
  fromPatchGrid,
  patchGrid,
  toPatchGrid,
  unflattenPatches,
} from './patches';
export { convertPreLinen } from './pre-linen';
export { linearWeights, regroupTokens } from './resize';
export { inStorage } from './storage';
export { takeAt, takeEach } from './take';

export default definePlugin({
  name: 'layers',
  version: '0.1.0',
  core: '^0.1.0',
  doc: 'Layers for models: dense, convolution, attention, layer and group norm, dropout, embedding and the transformer MLP.',
});
