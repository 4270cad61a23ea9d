// The op `refcoco_mask2str`: what a model is to answer that is asked for an object, its box and its mask in tokens.

import { z } from 'zod';
import { hostArray } from '../../core/array';
import type { Implementation, PpOp } from '../../core/extensions';
import { arrayOf, featureOf, resizeImage, textOf } from '../../plugins/pp';
import { maskFile } from './mask-file';
import { maskEncoder } from './mask-encoder';

const op = 'refcoco_mask2str';
const schema = z.strictObject({
  model: z.string().default('oi').describe('path of the encoder of masks, vae-oid.npz'),
});

/** Half to even, of a product in float32. */
function roundProduct(a: number, b: number): number {
  const x = Math.fround(a * b);
  const down = Math.floor(x);
  if (x - down !== 0.5) return Math.round(x);
  return down % 2 === 0 ? down : down + 1;
}

const numbered = (prefix: string, digits: number, value: number) =>
  `<${prefix}${String(value).padStart(digits, '0')}>`;

export const refcocoMask2str: Implementation<'pp', typeof schema> = {
  doc: [
    'The text "objects/refs/sentence" as prefix, and as suffix the box in "objects/bbox" (top, left, bottom, right, from 0 to 1) as',
    'four tokens <loc0000> to <loc1023> and the mask in it, "objects/mask" uint8 [height, width, 3], as 16 tokens <seg000> to <seg127>.',
  ].join(' '),
  options: schema,
  positional: ['model'],
  create: ({ model }): PpOp => {
    let encoder: ReturnType<typeof maskEncoder> | undefined;
    return async (example) => {
      encoder ??= maskEncoder(maskFile(model));
      const encode = await encoder;
      const mask = arrayOf(featureOf(example, 'objects/mask', op), 'objects/mask', op);
      const box = Array.from(
        arrayOf(featureOf(example, 'objects/bbox', op), 'objects/bbox', op).data,
        Number,
      );
      const sentence = textOf(featureOf(example, 'objects/refs/sentence', op), 'objects/refs/sentence', op);
      const [height, width, channels] = mask.shape as [number, number, number];
      const [top, left, bottom, right] = box.map((x, i) => roundProduct(i % 2 === 0 ? height : width, x)) as [number, number, number, number]; // prettier-ignore
      const first = Float32Array.from({ length: height * width }, (_, i) => Number(mask.data[i * channels]));
      const inBox = resizeImage(
        hostArray('float32', [height, width, 1], first),
        [64, 64],
        { method: 'bilinear', antialias: true },
        { top, left, height: bottom - top, width: right - left },
      );
      const codes = encode(
        hostArray(
          'float32',
          [64, 64, 1],
          inBox.data.map((value) => value / 255),
        ),
      );
      const places = box.map((x) => Math.min(1023, Math.max(0, roundProduct(x, 1023))));
      return {
        ...example,
        prefix: sentence,
        suffix: [
          ...places.map((place) => numbered('loc', 4, place)),
          ...codes.map((code) => numbered('seg', 3, code)),
        ].join(''),
      };
    };
  },
};
