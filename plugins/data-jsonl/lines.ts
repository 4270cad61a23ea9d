// Examples in JSON lines, with files beside them.

import fs from 'node:fs';
import path from 'node:path';
import { catalogue } from '../../core/errors';
import { hostArray } from '../../core/array';
import type { DataSource, Example, Feature } from '../../core/extensions';
import { decodeImage } from '../pp';

const errors = catalogue('jsonl', {
  remote: (v: { file: string; url: string }) => ({
    what: `"${v.file}" is in a bucket, and nothing is downloaded here.`,
    fix: `fetch ${v.url} and name the local file (fname), and the folder of its files in fopen_keys.`,
  }),
  unreadable: (v: { file: string; reason: string }) => ({
    what: `The JSON lines in ${v.file} can't be read: ${v.reason}.`,
    fix: 'name a file with a JSON object a line.',
  }),
  line: (v: { file: string; line: number; reason: string }) => ({
    what: `Line ${v.line} of ${v.file} isn't a JSON object: ${v.reason}.`,
    fix: 'write one object a line, without commas between them.',
  }),
  noFile: (v: { key: string; index: number; found: string }) => ({
    what: `"${v.key}" of example ${v.index} is to be a file, and is ${v.found}.`,
    fix: 'give the path of a file, or take the key out of fopen_keys.',
  }),
});

type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
type Line = Readonly<Record<string, Json>>;

export function readLines(file: string): readonly Line[] {
  const remote = /^gs:\/\/(.*)/.exec(file)?.[1];
  if (remote) throw errors.remote({ file, url: `https://storage.googleapis.com/${remote}` });
  let text: string;
  try {
    text = fs.readFileSync(file, 'utf8');
  } catch (error) {
    throw errors.unreadable({ file, reason: (error as Error).message });
  }
  return text.split('\n').flatMap((line, i) => {
    if (line.trim() === '') return [];
    try {
      const value = JSON.parse(line) as Line;
      if (typeof value !== 'object' || value === null || Array.isArray(value))
        throw new Error('it is another value');
      return [value];
    } catch (error) {
      throw errors.line({ file, line: i + 1, reason: (error as Error).message });
    }
  });
}

/** Numbers become int32 or float32, lists of them arrays; texts stay texts; null is left out. */
function featureOf(value: Json): Feature | undefined {
  if (value === null) return undefined;
  if (typeof value === 'boolean') return hostArray('uint8', [], [Number(value)]);
  if (Array.isArray(value)) {
    const numbers = value.every((item) => typeof item === 'number');
    if (!numbers || value.length === 0) return value.map((item: Json) => featureOf(item) ?? '');
    const dtype = value.every(Number.isInteger) ? 'int32' : 'float32';
    return hostArray(dtype, [value.length], value);
  }
  if (typeof value === 'object') return featuresOf(value as Line);
  return value as string | number;
}

function featuresOf(line: Line): Example {
  const features = Object.entries(line).map(([key, value]) => [key, featureOf(value)] as const);
  return Object.fromEntries(features.filter(([, value]) => value !== undefined)) as Example;
}

/**
 * `id` is the number of the line as a text, unless it has one.
 * @param files keys whose texts, or lists of texts, are paths, and the folders that these are relative to; the bytes take
 *   their place
 * @param decoded those of them whose images are decoded: uint8 [height, width, 3]
 */
export function linesSource(
  lines: readonly Line[],
  files: Readonly<Record<string, string>>,
  decoded: ReadonlySet<string> = new Set(),
): DataSource {
  return {
    size: lines.length,
    async get(index) {
      const line = lines[index] as Line;
      const opened = await Promise.all(
        Object.entries(files)
          .filter(([key]) => key in line)
          .map(async ([key, folder]) => {
            const read = async (name: Json | undefined): Promise<Feature> => {
              if (typeof name !== 'string') throw errors.noFile({ key, index, found: JSON.stringify(name) });
              const bytes = await fs.promises.readFile(path.join(folder, name)).catch((error: Error) => {
                throw errors.noFile({ key, index, found: error.message });
              });
              const file = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
              return decoded.has(key)
                ? decodeImage(file, { channels: 3, op: `data source, key ${key}` })
                : file;
            };
            const names = line[key];
            const found = Array.isArray(names) ? await Promise.all(names.map(read)) : await read(names);
            return [key, found] as const;
          }),
      );
      return { id: String(index), ...featuresOf(line), ...Object.fromEntries(opened) };
    },
  };
}
