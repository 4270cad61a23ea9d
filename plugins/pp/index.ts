// Preprocessing: the ops of a config's `pp` strings. The public names are what other plugins' ops build on.

import { definePlugin } from '../../core/plugin';
import { generalOps } from './general-ops';
import { imageOps } from './image-ops';

export { type BoxOptions, sampleBox } from './crop-box';
export { type Channels, decodeImage, jpegSize } from './decode';
export {
  arrayOf,
  describeFeature,
  exampleOp,
  featureOf,
  type Image,
  imageOf,
  keyedOp,
  type KeyedOp,
} from './features';
export {
  cropImage,
  resizeImage,
  type ResizeMethod,
  resizeMethods,
  type ResizeOptions,
  type Window,
} from './resize';

export default definePlugin({
  name: 'pp',
  version: '0.1.0',
  core: '^0.1.0',
  doc: 'Preprocessing of examples: images, labels, keys and shapes.',

  register({ register }) {
    for (const [name, op] of Object.entries({ ...imageOps, ...generalOps })) register('pp', name, op);
  },
});
