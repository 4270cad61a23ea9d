// Stacks of images: [frames, height, width, channels]. Names, arguments and defaults are the original's.

import { z } from 'zod';
import { allocate, type HostArray, hostArray } from '../../core/array';
import type { Implementation } from '../../core/extensions';
import { decodeImage } from './decode';
import {
  arrayOf,
  describeFeature,
  entriesOf,
  errors,
  exampleOp,
  featureOf,
  imageOf,
  keyedOp,
  lengthOf,
} from './features';
import { resizeImage } from './resize';
import { side } from './size-options';

const convert_to_video = keyedOp('convert_to_video', {
  doc: 'Makes an image the first frame of a video whose other frames are zero.',
  options: { num_frames: z.int().min(1).describe('frames of the video') },
  positional: ['num_frames'],
  make:
    ({ num_frames }) =>
    (value, _, key) => {
      const image = imageOf(value, key, 'convert_to_video');
      const out = allocate(image.dtype, [num_frames, ...image.shape]);
      out.data.set(image.data);
      return out;
    },
});

function stack(op: string, arrays: readonly HostArray[]): HostArray {
  const first = arrays[0] as HostArray;
  const odd = arrays.find(({ dtype, shape }) => dtype !== first.dtype || shape.join() !== first.shape.join());
  if (odd) {
    const problem = `can't stack ${describeFeature(first)} and ${describeFeature(odd)}`;
    throw errors.size({ op, problem, fix: 'put resize before it.' });
  }
  const out = allocate(first.dtype, [arrays.length, ...first.shape]);
  arrays.forEach(({ data }, i) => out.data.set(data, i * data.length));
  return out;
}

const stack_images = exampleOp({
  doc: 'Stacks images of one size along a new first axis.',
  options: {
    inkeys: z.array(z.string()).min(1).describe('keys of the images, in order'),
    outkey: z.string().default('image').describe('key to write'),
  },
  positional: ['inkeys', 'outkey'],
  create:
    ({ inkeys, outkey }) =>
    (example) => {
      const images = inkeys.map((key) =>
        arrayOf(featureOf(example, key, 'stack_images'), key, 'stack_images'),
      );
      return { ...example, [outkey]: stack('stack_images', images) };
    },
});

const video_decode = exampleOp({
  doc: 'Decodes the frames in "episodic_images" (a list of bytes of files), resizes them to a square and scales them to -1..1; float32 [frames, res, res, channels] in "image".',
  options: { res: side.describe('height and width') },
  positional: ['res'],
  create:
    ({ res }) =>
    async (example) => {
      const op = 'video_decode';
      const files = featureOf(example, 'episodic_images', op);
      if (!Array.isArray(files) || !files.every((file) => file instanceof Uint8Array)) {
        const fix = 'leave the op out: the frames are decoded.';
        throw errors.kind({ op, key: 'episodic_images', found: describeFeature(files), expected: 'a list of files', fix }); // prettier-ignore
      }
      const frames = files.map(async (bytes) => {
        const image = await decodeImage(bytes, { channels: 0, op });
        const floats = hostArray('float32', image.shape, image.data);
        const sized = resizeImage(floats, [res, res], { method: 'bilinear', antialias: false });
        return hostArray('float32', sized.shape, sized.data.map((x) => 2 * Math.fround(x / 255) - 1)); // prettier-ignore
      });
      return { ...example, image: stack(op, await Promise.all(frames)) };
    },
});

const video_ensure_shape = exampleOp({
  doc: 'Fails unless an array has a shape.',
  options: {
    key: z.string().describe('key of the array'),
    shape: z.array(z.int().min(0).nullable()).describe('lengths of the axes; None is any'),
  },
  positional: ['key', 'shape'],
  create:
    ({ key, shape }) =>
    (example) => {
      const array = arrayOf(featureOf(example, key, 'video_ensure_shape'), key, 'video_ensure_shape');
      const fits = shape.every((length, i) => length === null || length === array.shape[i]);
      if (fits && shape.length === array.shape.length) return example;
      const expected = `of the shape [${shape.map((length) => length ?? 'None').join(', ')}]`;
      const fix = 'leave such examples out, or correct the shape.';
      throw errors.kind({ op: 'video_ensure_shape', key, found: describeFeature(array), expected, fix });
    },
});

const video_replicate_img = exampleOp({
  doc: 'Repeats the frames of "image" in order, and keeps the first ones: short videos get as many frames as long ones.',
  options: {
    replicas: z.int().min(1).describe('how often the frames are repeated'),
    num_frames: z.int().min(1).describe('frames that are kept'),
  },
  positional: ['replicas', 'num_frames'],
  create:
    ({ replicas, num_frames }) =>
    (example) => {
      const image = featureOf(example, 'image', 'video_replicate_img');
      const frames = lengthOf(arrayOf(image, 'image', 'video_replicate_img')) as number;
      const kept = Math.min(num_frames, replicas * frames);
      return {
        ...example,
        image: entriesOf(
          image,
          Array.from({ length: kept }, (_, i) => i % frames),
        ),
      };
    },
});

export const videoOps: Readonly<Record<string, Implementation<'pp'>>> = {
  convert_to_video,
  stack_images,
  video_decode,
  video_ensure_shape,
  video_replicate_img,
};
