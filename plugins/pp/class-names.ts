// Lists of class names, a line for each label.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export type ClassNames = 'clip_i1k' | 'i21k';

const loaded = new Map<ClassNames, readonly string[]>();

/** ImageNet's names as CLIP uses them (1000), or those of ImageNet-21k (21 843). */
export function classNames(list: ClassNames): readonly string[] {
  let names = loaded.get(list);
  if (!names) {
    names = readFileSync(join(__dirname, 'class-names', `${list}.txt`), 'utf8')
      .trimEnd()
      .split('\n');
    loaded.set(list, names);
  }
  return names;
}
