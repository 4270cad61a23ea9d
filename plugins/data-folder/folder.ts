// Images in one folder for each class, the way ImageNet unpacks.

import fs from 'node:fs';
import path from 'node:path';
import { catalogue } from '../../core/errors';
import type { DataSource } from '../../core/extensions';
import { labelFeatures } from '../../core/labels';
import { didYouMean } from '../../core/suggest';
import { parseSplit } from './split';

const extensions = new Set(['.jpg', '.jpeg', '.png', '.webp']);

const errors = catalogue('folder', {
  missing: (v: { folder: string; known: readonly string[]; wanted: string }) => ({
    what: `The folder ${v.folder} of the data source "folder" isn't there.${didYouMean(v.wanted, v.known)}`,
    fix: 'correct "path" or "split": the folder must hold one folder of images for each class.',
  }),
  noClasses: (v: { folder: string; images: number }) => ({
    what: `The folder ${v.folder} has no folders in it${v.images > 0 ? `, but ${v.images} images` : ''}; each class needs one.`,
    fix:
      v.images > 0
        ? 'put the images of each class into a folder with its name.'
        : 'correct "path" or "split".',
  }),
  emptyClass: (v: { folder: string; found: number }) => ({
    what: `The class folder ${v.folder} has no images${v.found > 0 ? `, only ${v.found} other files` : ''}.`,
    fix: `remove the folder, or put ${[...extensions].join(', ')} files into it.`,
  }),
});

export interface FolderOptions {
  readonly path: string;
  readonly split: string;
}

/** Plain comparison, so that the order is the same in every locale. */
const byCode = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

export function folderSource({ path: root, split: text }: FolderOptions): DataSource {
  const split = parseSplit(text);
  const folder = path.join(root, split.name);
  const classes = listClasses(folder, root, split.name);
  const starts: number[] = [];
  let size = 0;
  const files = classes.map((name) => {
    const all = listImages(path.join(folder, name));
    const chosen = all.slice(...split.slice(all.length));
    starts.push(size);
    size += chosen.length;
    return chosen;
  });
  return {
    size,
    classes,
    async get(index) {
      const label = lastAtMost(starts, index);
      const name = files[label]?.[index - (starts[label] as number)] as string;
      const filename = `${classes[label]}/${name}`;
      const bytes = await fs.promises.readFile(path.join(folder, filename));
      return {
        image: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length),
        ...labelFeatures(label),
        filename,
      };
    },
  };
}

function entriesOf(folder: string): fs.Dirent[] | undefined {
  try {
    return fs.readdirSync(folder, { withFileTypes: true });
  } catch {
    return undefined;
  }
}

const isImage = (name: string) => extensions.has(path.extname(name).toLowerCase()) && !name.startsWith('.');

function listClasses(folder: string, root: string, wanted: string): string[] {
  const entries = entriesOf(folder);
  if (!entries) {
    const near = entriesOf(wanted === '' ? path.dirname(folder) : root) ?? [];
    const known = near.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
    throw errors.missing({ folder, known, wanted: wanted === '' ? path.basename(folder) : wanted });
  }
  const found = entries
    .filter((entry) => isFolder(folder, entry) && !entry.name.startsWith('.'))
    .map(({ name }) => name);
  if (found.length === 0) {
    throw errors.noClasses({ folder, images: entries.filter(({ name }) => isImage(name)).length });
  }
  return found.sort(byCode);
}

/** Links to folders count: data sets are often put together from them. */
function isFolder(parent: string, entry: fs.Dirent): boolean {
  if (!entry.isSymbolicLink()) return entry.isDirectory();
  return fs.statSync(path.join(parent, entry.name), { throwIfNoEntry: false })?.isDirectory() === true;
}

function listImages(folder: string): string[] {
  const entries = entriesOf(folder) ?? [];
  const images = entries
    .filter((entry) => !entry.isDirectory() && isImage(entry.name))
    .map(({ name }) => name);
  if (images.length === 0) throw errors.emptyClass({ folder, found: entries.length });
  return images.sort(byCode);
}

/** The last of the ascending starts that isn't after the index; of equal ones, whose classes are empty, the last. */
function lastAtMost(starts: readonly number[], index: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] as number) <= index) low = middle;
    else high = middle - 1;
  }
  return low;
}
