// One tower for both modalities: a text is a picture of it (README.md).

import { z } from 'zod';
import type { Model } from '../../core/extensions';
import {
  type MakeTower,
  embed,
  inputOf,
  loadTowers,
  temperature,
  towerLoadOptions,
} from '../../plugins/towers';

export const oneTowerOptions = z.strictObject({
  image: z.record(z.string(), z.unknown()).default({}).describe('options of the tower'),
  image_model: z.string().default('vit').describe('name of the model for images, and for texts as images'),
  out_dim: z.int().min(1).default(768).describe('width of the embeddings: num_classes of the tower'),
  temperature_init: z
    .number()
    .positive()
    .default(10)
    .describe('initial factor of the similarities; the parameter t is its logarithm'),
});
export type OneTowerOptions = z.output<typeof oneTowerOptions>;

/** The model of these options. */
export function oneTower(options: OneTowerOptions, make: MakeTower): Model {
  const { image, image_model, out_dim, temperature_init } = options;
  const img = make(image_model, { num_classes: out_dim, ...image }, 'model.image');
  return {
    apply: (scope, batch, call) => {
      const { text = batch.labels } = batch;
      const zimg = batch.image && embed(img, scope.child('img'), inputOf(batch.image), call);
      const ztxt = text && embed(img, scope.child('img'), inputOf(text), call);
      return {
        output: [zimg?.output, ztxt?.output],
        out: { img: zimg?.out, txt: ztxt?.out, ...temperature(scope, temperature_init) },
      };
    },
    loadOptions: z.strictObject({ img_load_kw: towerLoadOptions }),
    load: (init, from, load) => loadTowers({ img }, init, from, load),
  };
}
