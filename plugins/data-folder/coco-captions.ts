// COCO's images with their captions (arXiv:1504.00325), in the splits that TFDS has them in and that papers report on.

import fs from 'node:fs';
import path from 'node:path';
import { catalogue } from '../../core/errors';
import type { DataSource } from '../../core/extensions';
import { dataFolder, parseSplit, unknownSplit } from './split';

const errors = catalogue('coco-captions', {
  unavailable: (v: { file: string; problem: string }) => ({
    what: `The data set "coco_captions" can't read ${v.file}: ${v.problem}.`,
    fix: "put Karpathy's dataset_coco.json there, beside the folders train2014 and val2014 with COCO's images; or set BV_DATA_DIR or the option data_dir to the folder of your data sets.",
  }),
  split: unknownSplit('coco_captions'),
});

/** What is read of dataset_coco.json, which Karpathy and Li (arXiv:1412.2306) published their splits in. */
interface Listed {
  readonly filepath: string;
  readonly filename: string;
  readonly split: string;
  readonly cocoid: number;
  readonly sentences: readonly { readonly raw: string }[];
}

/** Examples in the order of the file. */
export function cocoCaptions(
  { split: text, data_dir }: { split: string; data_dir?: string },
  root: string,
): DataSource {
  const folder = path.join(dataFolder(root, data_dir), 'coco_captions');
  const { name: split, slice } = parseSplit(text);
  const all = readList(path.join(folder, 'dataset_coco.json'));
  const inSplit = all.filter((listed) => listed.split === split);
  if (inSplit.length === 0)
    throw errors.split({ split, known: [...new Set(all.map((listed) => listed.split))].sort() });
  const chosen = inSplit.slice(...slice(inSplit.length));
  return {
    size: chosen.length,
    async get(index, only) {
      const { filepath, filename, cocoid, sentences } = chosen[index] as Listed;
      const beside = { filename, 'image/id': cocoid, captions: { text: sentences.map(({ raw }) => raw) } };
      if (only && !only.includes('image')) return beside;
      const bytes = await fs.promises.readFile(path.join(folder, filepath, filename));
      return { image: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length), ...beside };
    },
  };
}

function readList(file: string): readonly Listed[] {
  try {
    return (JSON.parse(fs.readFileSync(file, 'utf8')) as { images: Listed[] }).images;
  } catch (error) {
    throw errors.unavailable({ file, problem: (error as Error).message });
  }
}
