// CLIPPO: image-and-language understanding from pixels only (README.md).

import path from 'node:path';
import { z } from 'zod';
import type { Feature } from '../../core/extensions';
import { registerParity } from '../../core/parity/register';
import { definePlugin } from '../../core/plugin';
import { tokens } from '../../core/train/run';
import { featureOf, resizeMethods, textOf } from '../../plugins/pp';
import { towersOf } from '../../plugins/towers';
import { oneTower, oneTowerOptions } from './one_tower';
import { towerRunners } from './parity';
import { renderText } from './render';
import { hexFont, packagedFont } from './unifont';

const side = z.int().min(1);
const brightness = z.int().min(0).max(255);

const renderOptions = z.strictObject({
  image_size: side.describe('side of the image in pixels'),
  font_size: side.default(16).describe('height of a line; the letters are drawn for 16'),
  max_chars: z.int().min(0).default(768).describe('what comes after is left out; 0: nothing'),
  background_brightness: brightness.default(127).describe('value of the background'),
  text_brightness: brightness.default(0).describe('value of the letters'),
  lower: z.boolean().default(true).describe('letters A to Z as small letters'),
  monospace: z.boolean().default(false).describe('do not trim letters to their ink'),
  spacing: z.int().min(0).default(1).describe('columns left free before a letter'),
  min_width: z.int().min(1).default(4).describe('columns of the narrowest letter, and of a space'),
  resize_method: z.enum(resizeMethods).default('area').describe('for other font sizes'),
  inkey: z.string().default('texts').describe('key to read: a text, or a list whose first one counts'),
  outkey: z.string().default('image').describe('key to write'),
  key: z.string().nullable().default(null).describe('key to read and to write; instead of inkey and outkey'),
  hex_files: z
    .array(z.string())
    .nullable()
    .default(null)
    .describe(
      'fonts in the format of unifoundry.com, the last first; None: Unifont from npm, without emojis',
    ),
});

export default definePlugin({
  name: 'clippo',
  version: '0.1.0',
  core: '^0.1.0',
  needs: { losses: '^0.1.0', pp: '^0.1.0', towers: '^0.1.0', vit: '^0.1.0' },
  doc: 'CLIP with pixels only: one tower for images and for texts as images (arXiv:2212.08045).',

  register({ register, container }) {
    registerParity(register, towerRunners);
    register('model', 'proj.clippo.one_tower', {
      doc: [
        'One tower that embeds images and pictures of texts (arXiv:2212.08045).',
        'image, and text (or labels): as the image model takes images; either may be missing.',
        'Gives [zimg, ztxt], [batch, out_dim] each, of length 1.',
      ].join(' '),
      options: oneTowerOptions,
      inject: [tokens.registry],
      create: (options, registry) => oneTower(options, towersOf(registry, container)),
    });
    register('pp', 'render_unifont', {
      doc: 'A text as an image of it in GNU Unifont: uint8 [image_size, image_size, 3].',
      options: renderOptions,
      positional: Object.keys(renderOptions.shape).slice(0, 10) as (keyof typeof renderOptions.shape)[],
      inject: [tokens.root],
      create: ({ key, hex_files, ...options }, root) => {
        const { inkey, outkey } = key ? { inkey: key, outkey: key } : options;
        const font = hex_files ? hexFont(hex_files.map((file) => path.resolve(root, file))) : packagedFont();
        return (example) => {
          const found = featureOf(example, inkey, 'render_unifont');
          const text = Array.isArray(found) ? (found as readonly Feature[])[0] : found;
          return {
            ...example,
            [outkey]: renderText(textOf(text as Feature, inkey, 'render_unifont'), font, options),
          };
        };
      },
    });
  },
});
