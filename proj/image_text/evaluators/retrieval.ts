// Retrieval of images by captions and of captions by images.

import { z } from 'zod';
import type { DataSource, Evaluator, EvaluatorContext, Example, Feature } from '../../../core/extensions';
import { openPass, type PassServices } from '../../../plugins/evaluators';
import { embedAll, tower } from './embed';
import { nearness, ranksAmong, recallsOf } from './recall';

export const retrievalSchema = z.strictObject({
  dataset: z.string().describe('data source of images with captions'),
  split: z.string().default('test'),
  data_dir: z.string().optional().describe('option data_dir of the data source'),
  txt_name: z
    .union([z.string(), z.array(z.string())])
    .describe('the feature with the captions; a path where it is nested, such as ["captions", "text"]'),
  pp_img: z.string().describe('preprocessing of images, decoded ones; "image" and "id" are kept'),
  pp_txt: z.string().describe('preprocessing of captions, from "texts" to "labels"'),
  workers: z.int().min(0).optional().describe('worker threads for preprocessing'),
});
export type RetrievalOptions = z.output<typeof retrievalSchema>;

function captionsOf(example: Example, path: readonly string[]): string[] {
  let value: Feature = example;
  for (const key of path) value = (value as { readonly [key: string]: Feature })[key] as Feature;
  return [value].flat() as string[];
}

/** A source whose examples have their index as `id`. */
export function withIds(source: DataSource): DataSource {
  return { ...source, size: source.size, get: async (id) => ({ ...(await source.get(id)), id }) };
}

/** An example for each caption: `texts`, the `id` of its image, and which caption of that image it is, `caption_i`. */
export async function captions(source: DataSource, name: string | readonly string[]): Promise<DataSource> {
  const path = [name].flat();
  const found: Example[] = [];
  for (let id = 0; id < source.size; id++) {
    const example = await source.get(id, path.slice(0, 1));
    captionsOf(example, path).forEach((texts, caption_i) => found.push({ id, caption_i, texts }));
  }
  return { size: found.length, get: (index) => found[index] as Example };
}

/** "img2txt_recall@1", ..., "txt2img_recall@10". */
export async function retrieval(
  options: RetrievalOptions,
  context: EvaluatorContext,
  services: PassServices,
): Promise<Evaluator> {
  const { dataset, split, data_dir, txt_name, pp_img, pp_txt, workers } = options;
  const { name, predict } = context;
  const { runtime } = services;
  const data = { name: dataset, split, ...(data_dir !== undefined && { data_dir }) };
  const open = (source: { name: string }, pp_fn: string) =>
    openPass({ data: source, pp_fn, workers }, context, services);
  const images = await open(
    { name: 'proj.image_text.with_ids', ...{ data } },
    `decode|${pp_img}|keep('id', 'image')`,
  );
  const texts = await open(
    { name: 'proj.image_text.captions', ...{ data, txt_name } },
    `${pp_txt}|keep('id', 'caption_i', 'labels')`,
  );
  const embedImages = tower(runtime, predict, 'images', name);
  const embedTexts = tower(runtime, predict, 'texts', name);
  const toTexts = nearness(runtime, `${name} (img2txt)`);
  const toImages = nearness(runtime, `${name} (txt2img)`);
  return {
    async *run(params) {
      const ofImages = await embedAll(runtime, embedImages, params, images, ['id']);
      const ofTexts = await embedAll(runtime, embedTexts, params, texts, ['id', 'caption_i']);
      const ranks = {
        img2txt: await ranksAmong(runtime, toTexts, ofImages, ofTexts),
        txt2img: await ranksAmong(runtime, toImages, ofTexts, ofImages),
      };
      for (const [direction, found] of Object.entries(ranks))
        for (const [metric, value] of Object.entries(recallsOf(found)))
          yield [`${direction}_${metric.toLowerCase()}`, value];
    },
  };
}
