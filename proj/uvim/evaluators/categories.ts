// The categories of a panoptic data set: things, which are counted, and stuff, which isn't.

import fs from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { catalogue } from '../../../core/errors';

const categorySchema = z.object({
  id: z.int().min(1).max(255).describe('in the ground truth'),
  name: z.string().describe('for people'),
  isthing: z
    .union([z.boolean(), z.literal(0), z.literal(1)])
    .transform(Boolean)
    .describe('whether its objects are counted'),
});
export type Category = z.output<typeof categorySchema>;

/** Class c of a model, and label c - 1 of the data, is the c-th of the list; class 0 is nothing. */
const listSchema = z.array(categorySchema).min(1);

export const categoriesOption = z
  .union([z.string(), listSchema])
  .default('panoptic_coco_categories.json')
  .describe("the categories as a list, or a file of them in COCO's form; in COCO_DATA_DIR if that is set");

const errors = catalogue('panoptic', {
  noCategories: (v: { file: string; reason: string }) => ({
    what: `The categories of panoptic segmentation should be in ${v.file}, which ${v.reason}.`,
    fix: 'put panoptic_coco_categories.json of github.com/cocodataset/panopticapi there, set COCO_DATA_DIR to its folder, or give the list as categories=[{"id": 1, "name": "person", "isthing": 1}, ...].',
  }),
});

/** @param root what relative paths start from if COCO_DATA_DIR isn't set */
export function readCategories(given: string | readonly Category[], root: string): readonly Category[] {
  if (typeof given !== 'string') return given;
  const file = path.resolve(process.env['COCO_DATA_DIR'] ?? root, given);
  if (!fs.existsSync(file)) throw errors.noCategories({ file, reason: "isn't there" });
  try {
    return listSchema.parse(JSON.parse(fs.readFileSync(file, 'utf8')));
  } catch {
    throw errors.noCategories({ file, reason: "doesn't hold a list of them" });
  }
}
