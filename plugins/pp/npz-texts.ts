// Arrays of texts in NumPy's archives: lists of names that go with precomputed values. Checkpoints never have texts, so the
// archive's own reader knows none.

import { openPromise } from 'yauzl';
import { parseNpyHeader } from '../../core/checkpoint/npy';

/**
 * The texts of an array `<U..` (UTF-32) or `|S..` (bytes, here UTF-8), in order; trailing zeros pad them.
 * @throws Error that says what is wrong with the file.
 */
export async function npzTexts(path: string, key: string): Promise<string[]> {
  const zip = await openPromise(path, { lazyEntries: true, autoClose: false });
  const names: string[] = [];
  try {
    for await (const entry of zip.eachEntry()) {
      names.push(entry.fileName.replace(/\.npy$/, ''));
      if (entry.fileName !== `${key}.npy`) continue;
      const chunks: Buffer[] = [];
      for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
      return textsOf(Buffer.concat(chunks));
    }
  } finally {
    zip.close();
  }
  throw new Error(`it has no "${key}", but ${names.join(', ') || 'nothing'}`);
}

function textsOf(npy: Buffer): string[] {
  const long = npy.readUInt8(6) > 1;
  const start = long ? 12 + npy.readUInt32LE(8) : 10 + npy.readUInt16LE(8);
  const { descr, shape } = parseNpyHeader(npy.toString('utf8', long ? 12 : 10, start));
  const [, kind, width] = /^[<|]([US])(\d+)$/.exec(descr) ?? [];
  const [length = 0, ...more] = shape;
  if (!kind || more.length > 0) throw new Error(`its values (${descr}) aren't a list of texts`);
  const bytes = Number(width) * (kind === 'U' ? 4 : 1);
  if (npy.length - start !== bytes * length) throw new Error('its size disagrees with its header');
  return Array.from({ length }, (_, i) => {
    const part = npy.subarray(start + i * bytes, start + (i + 1) * bytes);
    return (kind === 'U' ? utf32(part) : part.toString('utf8')).replace(/\0+$/, '');
  });
}

const utf32 = (bytes: Buffer) =>
  String.fromCodePoint(...Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32LE(4 * i)));
