// The data source `openmoji`: pictures with names, small enough for a first image-text model.

import { z } from 'zod';
import { HostArray } from '../../core/array';
import type { DataSource } from '../../core/extensions';
import { labelFeatures } from '../../core/labels';
import { definePlugin } from '../../core/plugin';
import { wordTokenizer } from '../text';
import { type Emoji, isTest, openmojiFolder, readEmojis } from './catalogue';
import { readPictures } from './pictures';

const openmojiOptions = z.strictObject({
  split: z
    .enum(['train', 'test', 'all'])
    .default('train')
    .describe('one in seven of the pictures is for testing, always the same'),
  skintones: z
    .boolean()
    .default(false)
    .describe('also pictures that differ from another one by the skin tone; they stay together in a split'),
  size: z.int().min(8).max(618).default(64).describe('side of the pictures in pixels'),
});

function captionsOf({ name, tags }: Emoji): string[] {
  return tags.length === 0 ? [name] : [name, [name, ...tags].join(', ')];
}

/** All that a text may say about a picture, for training. */
const textsOf = (emoji: Emoji): string[] => [...captionsOf(emoji), emoji.group];

export async function openmoji({
  split,
  skintones,
  size,
}: z.output<typeof openmojiOptions>): Promise<DataSource> {
  const folder = openmojiFolder();
  const emojis = readEmojis(folder);
  const classes = [...new Set(emojis.map(({ group }) => group))].sort();
  const chosen = emojis.filter(
    (emoji) =>
      (skintones || emoji.base === emoji.hexcode) &&
      (split === 'all' || isTest(emoji) === (split === 'test')),
  );
  const pixels = await readPictures(
    folder,
    chosen.map(({ hexcode }) => hexcode),
    size,
  );
  const bytes = size * size * 3;
  return {
    size: chosen.length,
    classes,
    get(index) {
      const emoji = chosen[index] as Emoji;
      return {
        image: new HostArray('uint8', [size, size, 3], pixels.subarray(index * bytes, (index + 1) * bytes)),
        ...labelFeatures(classes.indexOf(emoji.group)),
        group: emoji.group,
        hexcode: emoji.hexcode,
        captions: { text: captionsOf(emoji) },
        texts: textsOf(emoji),
        terms: [emoji.name, ...emoji.tags],
      };
    },
  };
}

export default definePlugin({
  name: 'data-openmoji',
  version: '0.1.0',
  core: '^0.1.0',
  needs: { text: '^0.1.0' },
  doc: 'Emojis with names and tags, from the npm package "openmoji" (openmoji.org, CC BY-SA 4.0).',

  register({ register }) {
    register('data', 'openmoji', {
      doc: [
        'Pictures of OpenMoji on white: image uint8 [size, size, 3]; captions/text: the name, and the name with tags;',
        'group, and its place among the sorted groups as label (also labels) int32; texts: the captions and the group;',
        'terms: the name and each tag; hexcode.',
        'The pictures are drawn on first use, which takes ten seconds.',
      ].join(' '),
      options: openmojiOptions,
      create: openmoji,
    });
    register('tokenizer', 'openmoji', {
      doc: 'Lower-case words of the training captions of the data source "openmoji"; rare words are spelled. Pad 0, end 1.',
      options: z.strictObject({
        size: z.int().min(100).default(2048).describe('of the vocabulary'),
      }),
      create: ({ size }) => {
        const train = readEmojis().filter((emoji) => !isTest(emoji));
        return wordTokenizer(train.flatMap(textsOf), size);
      },
    });
  },
});
