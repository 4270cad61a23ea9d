// Two towers: one model embeds images, another texts, into one space (CLIP, arXiv:2103.00020; LiT; SigLIP).

import { z } from 'zod';
import type { Model } from '../../core/extensions';
import { constant } from '../../core/layers/init';
import type { Registrar } from '../../core/plugin';
import { tokens } from '../../core/train/run';
import {
  type MakeTower,
  embed,
  inputOf,
  loadTowers,
  temperature,
  towerLoadOptions,
  towersOf,
} from '../../plugins/towers';

const width = z.int().min(1);
const towerOptions = z.record(z.string(), z.unknown()).default({});

export const twoTowersOptions = z.strictObject({
  image: towerOptions.describe('options of the image tower'),
  text: towerOptions.describe('options of the text tower'),
  image_model: z.string().default('vit').describe('name of the model for images'),
  text_model: z.string().default('proj.image_text.text_transformer').describe('name of the model for texts'),
  out_dim: z
    .union([width, z.tuple([width.nullable(), width.nullable()])])
    .default(128)
    .describe('width of the embeddings: num_classes of both towers, or of [image, text]; null: no head'),
  temperature_init: z
    .number()
    .positive()
    .default(1)
    .describe('initial factor of the similarities; the parameter t is its logarithm'),
  bias_init: z
    .number()
    .nullable()
    .default(null)
    .describe('initial bias of the similarities; null: no parameter b, and no sigmoid loss'),
});
export type TwoTowersOptions = z.output<typeof twoTowersOptions>;

/** The model of these options. */
export function twoTowers(options: TwoTowersOptions, make: MakeTower): Model {
  const { out_dim: out, temperature_init, bias_init } = options;
  const [imageOut, textOut] = typeof out === 'number' ? [out, out] : out;
  const img = make(options.image_model, { num_classes: imageOut, ...options.image }, 'model.image');
  const txt = make(options.text_model, { num_classes: textOut, ...options.text }, 'model.text');
  return {
    apply: (scope, batch, call) => {
      const { text = batch.labels } = batch;
      // NaFlex takes an image in four parts.
      const image = batch.image ? inputOf(batch.image) : 'image/0' in batch && batch;
      const zimg = image ? embed(img, scope.child('img'), image, call) : undefined;
      const ztxt = text && embed(txt, scope.child('txt'), inputOf(text), call);
      const scale = temperature(scope, temperature_init);
      const b = bias_init === null ? undefined : scope.param('b', [1], constant(bias_init));
      return {
        output: [zimg?.output, ztxt?.output],
        out: { img: zimg?.out, txt: ztxt?.out, ...scale, b },
      };
    },
    loadOptions: z.strictObject({ img_load_kw: towerLoadOptions, txt_load_kw: towerLoadOptions }),
    load: (init, from, load) => loadTowers({ img, txt }, init, from, load),
  };
}

export function registerTwoTowers({ register, container }: Registrar): void {
  register('model', 'proj.image_text.two_towers', {
    doc: [
      'Two towers that embed images and texts (arXiv:2103.00020). image: as the image model takes it;',
      'text (or labels): as the text model takes it; either may be missing.',
      'Gives [zimg, ztxt], [batch, out_dim] each, of length 1.',
    ].join(' '),
    options: twoTowersOptions,
    inject: [tokens.registry],
    create: (options, registry) => twoTowers(options, towersOf(registry, container)),
  });
}
