// Referring segmentation: an answer is a box of four place tokens and a mask of 16 more (arXiv:2407.07726).

import { z } from 'zod';
import { type HostArray, hostArray } from '../../../core/array';
import { createPipeline } from '../../../core/call-string';
import { catalogue } from '../../../core/errors';
import type { Evaluator, EvaluatorContext } from '../../../core/extensions';
import { exampleRng } from '../../../plugins/input';
import { createTokenizer, resizeImage } from '../../../plugins/pp';
import { answerOptions, answersOf, type AnswerServices, Mean } from './answers';
import { maskDecoder } from './mask-decoder';

export const segmentationSchema = z.strictObject({
  ...answerOptions,
  model: z.string().default('oi').describe('path of the decoder of masks, vae-oid.npz'),
  det_ious: z
    .array(z.number().positive().max(1))
    .default([0.5, 0.75])
    .describe('overlaps from which a box is right'),
});

const errors = catalogue('paligemma', {
  noPlaces: (v: { name: string; tokenizer: string }) => ({
    what: `evals.${v.name}.tokenizer, ${v.tokenizer}, has no tokens of places and masks.`,
    fix: 'give it tokensets=["loc", "seg"].',
  }),
  noMask: (v: { name: string }) => ({
    what: `evals.${v.name}.pp_fn doesn't keep "objects/mask", uint8 [height, width, channels], of each example.`,
    fix: 'choose one object, and keep("objects/mask", "objects/bbox").',
  }),
});

/** Top, left, bottom, right. */
export type Box = readonly [number, number, number, number];

const area = ([top, left, bottom, right]: Box) => Math.max(right - left, 0) * Math.max(bottom - top, 0);

/** Intersection over union. */
export function overlap(a: Box, b: Box): number {
  const both = area([Math.max(a[0], b[0]), Math.max(a[1], b[1]), Math.min(a[2], b[2]), Math.min(a[3], b[3])]);
  return both / (area(a) + area(b) - both);
}

/** What an answer says, or undefined if it isn't a box and a mask. */
export function parseSegment(
  tokens: readonly number[],
  loc0: number,
  seg0: number,
): { readonly box: Box; readonly codes: readonly number[] } | undefined {
  const places = tokens.slice(0, 4).map((token) => token - loc0);
  const codes = tokens.slice(4, 20).map((token) => token - seg0);
  const within = (values: readonly number[], limit: number) => values.every((x) => x >= 0 && x < limit);
  const valid = places.length + codes.length === 20 && within(places, 1024) && within(codes, 128);
  const [top, left, bottom, right] = places as unknown as Box;
  if (!valid || bottom <= top || right <= left) return undefined;
  return { box: places.map((place) => place / 1023) as unknown as Box, codes };
}

/**
 * Overlap of a predicted mask with the true one, at the resolution of the latter; undefined if no pixel is in the box.
 * @param decoded float32 [64, 64, 1], of the box
 * @param truth uint8 [height, width, channels], above 0 inside in the first channel
 */
export function maskOverlap(box: Box, decoded: HostArray, truth: HostArray): number | undefined {
  const [height, width, channels] = truth.shape as [number, number, number];
  const [top, left, bottom, right] = box.map((x, i) =>
    Math.trunc(x * (i % 2 === 0 ? height : width)),
  ) as unknown as Box;
  if (right <= left || bottom <= top) return undefined;
  const size = [bottom - top, right - left] as const;
  const inBox = resizeImage(decoded as HostArray<'float32'>, size, { method: 'bilinear', antialias: true });
  const isTrue = (y: number, x: number) => Number(truth.data[(y * width + x) * channels]) > 0;
  let [predicted, both, all] = [0, 0, 0];
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) all += Number(isTrue(y, x));
  inBox.data.forEach((value, i) => {
    if (!(value > 0)) return;
    predicted++;
    both += Number(isTrue(top + Math.floor(i / size[1]), left + (i % size[1])));
  });
  return both / (all + predicted - both);
}

/** "miou" of masks, "boxacc/0.5" and the like of boxes, and how many answers are "invalid" of the "total". */
export async function segmentation(
  { model, det_ious, ...options }: z.output<typeof segmentationSchema>,
  context: EvaluatorContext,
  services: AnswerServices,
): Promise<Evaluator> {
  const { registry, container, runtime } = services;
  const where = `evals.${context.name}`;
  const tokenizer = await createTokenizer(options.tokenizer, registry, container, `${where}.tokenizer`);
  const [loc0, seg0] = ['<loc0000>', '<seg000>'].map((piece) => tokenizer.idOf(piece)) as [number, number];
  if (loc0 === tokenizer.unknown || seg0 === tokenizer.unknown)
    throw errors.noPlaces({ name: context.name, tokenizer: options.tokenizer });
  const decodeMask = await maskDecoder(runtime, model);

  // Masks are as large as their images, which a batch can't hold: they are read again.
  const pipeline = createPipeline(options.pp_fn, registry, container, `${where}.pp_fn`);
  const { name, ...ofSource } = options.data;
  const source = await registry.create(container, 'data', name, ofSource, `${where}.data`);
  const truthOf = async (index: number) => {
    const example = await pipeline(await source.get(index), exampleRng(0, 0, index));
    return example['objects/mask'] as HostArray | undefined;
  };
  const arrays = { ...options, pp_fn: `${options.pp_fn}|drop("objects/mask")` };
  const keys = ['prefix', 'suffix', 'objects/bbox', 'width', 'height'];
  const pass = await answersOf({ ...arrays, tokenizer }, context, services, keys);

  return {
    async *run(params) {
      const iou = new Mean();
      const boxes = new Map(det_ious.map((threshold) => [threshold, new Mean()]));
      let invalid = 0;
      await pass(params, async ({ tokens, truth, index }) => {
        const mask = await truthOf(index);
        if (!mask?.data) throw errors.noMask({ name: context.name });
        const found = parseSegment(tokens, loc0, seg0);
        const shared = overlap(found?.box ?? [0, 0, 0, 0], truth['objects/bbox'] as unknown as Box);
        for (const [threshold, mean] of boxes) mean.add(Number(threshold <= shared));
        const ofMask =
          found && maskOverlap(found.box, await decodeMask(hostArray('int32', [16], found.codes)), mask);
        if (ofMask === undefined) invalid++;
        iou.add(ofMask ?? 0);
      });
      yield ['miou', iou.value];
      for (const [threshold, { value }] of boxes) yield [`boxacc/${threshold}`, value];
      yield ['invalid', invalid];
      yield ['total', iou.count];
    },
  };
}
