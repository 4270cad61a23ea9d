// Data sources of JSON lines with files beside them: one's own, and data sets of images and texts by their names.

import path from 'node:path';
import { z } from 'zod';
import { definePlugin } from '../../core/plugin';
import { tokens } from '../../core/train/run';
import { dataFolder, parseSplit } from '../data-folder';
import { linesSource, readLines } from './lines';

/** Those of PaliGemma's transfers, by their names in TFDS, and the keys of their files. */
const named: Readonly<Record<string, readonly string[]>> = {
  ...Object.fromEntries(
    [
      'ai2d',
      'aokvqa',
      'chartqa/augmented',
      'chartqa/human',
      'coco35l',
      'countbenchqa',
      'docvqa',
      'gqa',
      'infovqa',
      'nocaps',
      'ocrvqa_id',
      'okvqa',
      'pope_adversarial',
      'pope_popular',
      'pope_random',
      'rsvqa_hr/nonum',
      'rsvqa_lr/nonum',
      'science_qa',
      'scicap/first_sentence_subfig_no',
      'screen2_words',
      'stvqa',
      'tallyqa',
      'text_caps',
      'textvqa',
      'vizwizvqa',
      'vqa',
      'widgetcap',
      'xgqa',
      'xm3600',
    ].map((name) => [name, ['image']]),
  ),
  marvl: ['image_left', 'image_right'],
  nlvr2: ['image_left', 'image_right'],
  'ref_coco_bv/refcoco_unc:1.4.0': ['image', 'objects/mask'],
  'ref_coco_bv/refcocog_umd:1.4.0': ['image', 'objects/mask'],
  'ref_coco_bv/refcocoplus_unc:1.4.0': ['image', 'objects/mask'],
  'ref_coco_bv/refcocox_combined:1.4.0': ['image', 'objects/mask'],
};

const jsonlOptions = z.strictObject({
  fname: z.string().describe('the file, relative to the workspace'),
  fopen_keys: z
    .union([z.array(z.string()), z.record(z.string(), z.string())])
    .default([])
    .describe('keys whose texts are paths of files, which are read; or of each key the folder of its files'),
  start: z.int().min(0).default(0).describe('the first line'),
  stop: z.int().min(0).optional().describe('the line after the last one; default: all'),
});

const namedOptions = z.strictObject({
  split: z.string().describe('of the data set: train, train[:98%] + val, train[-1024:]'),
  data_dir: z
    .string()
    .optional()
    .describe(
      'the folder of all data sets, relative to the workspace; default: the environment BV_DATA_DIR, or data',
    ),
});

export default definePlugin({
  name: 'data-jsonl',
  version: '0.1.0',
  core: '^0.1.0',
  needs: { 'data-folder': '^0.1.0', pp: '^0.1.0' },
  doc: 'JSON lines with files beside them.',

  register({ register }) {
    register('data', 'bv:jsonl', {
      doc: 'Examples in JSON lines: texts, numbers, lists; the bytes of files that they name; and `id`, the number of the line as a text.',
      options: jsonlOptions,
      inject: [tokens.root],
      create: ({ fname, fopen_keys, start, stop }, root) => {
        const local = (name: string) => (name.startsWith('gs://') ? name : path.resolve(root, name));
        const folders = Array.isArray(fopen_keys)
          ? Object.fromEntries(fopen_keys.map((key) => [key, root]))
          : Object.fromEntries(Object.entries(fopen_keys).map(([key, folder]) => [key, local(folder)]));
        const lines = readLines(local(fname)).slice(start, stop);
        return linesSource(lines, folders);
      },
    });
    for (const [name, keys] of Object.entries(named)) {
      register('data', name, {
        doc: `The data set of that name, with the features of its TFDS, from DATA/${name}/SPLIT.jsonl; ${keys.join(' and ')}: files relative to that folder.`,
        options: namedOptions,
        inject: [tokens.root],
        create: ({ split, data_dir }, root) => {
          const folder = path.join(dataFolder(root, data_dir), name);
          const lines = split.split('+').flatMap((part) => {
            const { name, slice } = parseSplit(part);
            const all = readLines(path.join(folder, `${name}.jsonl`));
            return all.slice(...slice(all.length));
          });
          const folders = Object.fromEntries(keys.map((key) => [key, folder]));
          return linesSource(lines, folders, new Set(['objects/mask']));
        },
      });
    }
  },
});
