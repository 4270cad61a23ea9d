// NYU depth v2 (Silberman et al., ECCV 2012) as TFDS has it: HDF5 files with a picture and its depth.

import fs from 'node:fs';
import path from 'node:path';
import { HostArray } from '../../core/array';
import { catalogue } from '../../core/errors';
import type { DataSource } from '../../core/extensions';
import { roundHalfEven } from '../../core/round';
import { dataFolder, parseSplit, shuffledPart, unknownSplit } from './split';

const folders: Readonly<Record<string, string>> = { train: 'train', validation: 'val' };

const errors = catalogue('nyu-depth', {
  unavailable: (v: { folder: string }) => ({
    what: `The data set "nyu_depth_v2" isn't here: there are no .h5 files in ${v.folder}.`,
    fix: 'unpack nyudepthv2.tar.gz (of the project FastDepth, as TFDS does) there, or set BV_DATA_DIR or the option data_dir to the folder of your data sets.',
  }),
  split: unknownSplit('nyu_depth_v2'),
  unreadable: (v: { file: string; reason: string }) => ({
    what: `The data set "nyu_depth_v2" can't read ${v.file}: ${v.reason}.`,
    fix: 'unpack the archive again; a file has "rgb" [3, height, width] and "depth" [height, width].',
  }),
});

/** What is used of jsfive, which comes without types. */
interface Jsfive {
  readonly File: new (bytes: ArrayBuffer) => {
    get(name: string): { readonly shape: readonly number[]; readonly value: ArrayLike<number> };
  };
}

/** Examples: image uint8 [height, width, 3], depth float32 [height, width] in metres, rounded to float16 as in TFDS. */
export function nyuDepth(
  { split: text, data_dir }: { split: string; data_dir?: string },
  root: string,
): DataSource {
  const { name: split, slice } = parseSplit(text);
  if (!folders[split]) throw errors.split({ split, known: Object.keys(folders) });
  const folder = path.join(dataFolder(root, data_dir), 'nyu_depth_v2', folders[split]);
  const files = fs.existsSync(folder) ? filesIn(folder) : [];
  if (files.length === 0) throw errors.unavailable({ folder });
  const { size, placeOf } = shuffledPart(files.length, slice);
  return {
    size,
    async get(index) {
      const file = files[placeOf(index)]!;
      const bytes = await fs.promises.readFile(file);
      try {
        return readExample(new Uint8Array(bytes).buffer);
      } catch (error) {
        throw errors.unreadable({ file, reason: (error as Error).message });
      }
    },
  };
}

function filesIn(folder: string): string[] {
  const names = fs.readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.h5'))
    .sort()
    .map((name) => path.join(folder, name));
}

function readExample(bytes: ArrayBuffer) {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- loaded when the first file needs it
  const { File } = require('jsfive') as Jsfive;
  const file = new File(bytes);
  const [rgb, depth] = [file.get('rgb'), file.get('depth')];
  const [channels, height, width] = rgb.shape as [number, number, number];
  const pixels = height * width;
  const image = new Uint8Array(pixels * channels);
  for (let c = 0; c < channels; c++)
    for (let i = 0; i < pixels; i++) image[i * channels + c] = rgb.value[c * pixels + i]!;
  const metres = Float32Array.from(depth.value, roundedToHalf);
  return {
    image: new HostArray('uint8', [height, width, channels], image),
    depth: new HostArray('float32', depth.shape, metres),
  };
}

/** The nearest float16, the even one of two; of what is too large for one, itself. */
function roundedToHalf(x: number): number {
  if (x === 0) return 0;
  const step = 2 ** (Math.max(-14, Math.floor(Math.log2(Math.abs(x)))) - 10);
  return roundHalfEven(x / step) * step;
}
