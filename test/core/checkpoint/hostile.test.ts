// Files that lie, and what is said about them.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { deflateSync, gzipSync } from 'node:zlib';
import { hostArray, type HostArray } from '../../../core/array';
import { openArchive } from '../../../core/checkpoint/open';
import { saveNpz } from '../../../core/checkpoint/npz';
import { statisticsOf } from '../../../core/checkpoint/statistics';
import { UserError } from '../../../core/errors';
import { temporaryFolder } from '../../support/temporary';

const folder = temporaryFolder();

/** Opens and reads all of it, both ways. */
async function readAll(location: string): Promise<Map<string, HostArray>> {
  const archive = await openArchive(location);
  try {
    const arrays = new Map<string, HostArray>();
    for (const name of archive.names) {
      await statisticsOf(archive, name);
      arrays.set(name, await archive.read(name));
    }
    return arrays;
  } finally {
    await archive.close();
  }
}

async function expectRefused(location: string, reason: RegExp): Promise<void> {
  const error: unknown = await readAll(location).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).what).toMatch(reason);
  expect((error as UserError).fix).not.toBe('');
}

describe('safetensors', () => {
  const file = join(folder, 'x.safetensors');
  const write = (header: unknown, data = Buffer.alloc(8)) => {
    const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(json.length));
    writeFileSync(file, Buffer.concat([length, json, data]));
  };
  const entry = (begin: number, end: number, shape = [(end - begin) / 4], dtype = 'F32') => ({
    dtype,
    shape,
    data_offsets: [begin, end],
  });

  test('what is sound is read, with types of others', async () => {
    write({ a: entry(0, 4), b: entry(4, 8, [2], 'I16'), __metadata__: { format: 'pt' } }, Buffer.from([0, 0, 128, 63, 1, 0, 255, 255])); // prettier-ignore
    expect(await readAll(file)).toEqual(
      new Map<string, HostArray>([
        ['a', hostArray('float32', [1], [1])],
        ['b', hostArray('int32', [2], [1, -1])],
      ]),
    );
  });

  test.each<[string, unknown, RegExp]>([
    ['overlapping ranges', { a: entry(0, 8), b: entry(4, 8) }, /"b" overlaps with another/],
    ['a gap', { b: entry(4, 8) }, /"b" leaves a gap/],
    ['bytes that belong to none', { a: entry(0, 4) }, /has \d+ bytes, and its header says/],
    ['a range that goes backwards', { a: entry(8, 0, [2]) }, /byte range \[8, 0\)/],
    ['a range beyond the file', { a: entry(0, 4e9) }, /doesn't fit its shape or the file/],
    ['an absurd shape', { a: entry(0, 8, [2 ** 40, 2 ** 40]) }, /doesn't fit its shape/],
    ['a shape that is no whole number', { a: entry(0, 8, [1e300]) }, /entry of "a" is malformed/],
    ['a negative size', { a: entry(0, 8, [-2]) }, /entry of "a" is malformed/],
    ['a type of another world', { a: entry(0, 8, [8], 'F8_E4M3') }, /unknown dtype F8_E4M3/],
    ['a wrong type', { a: entry(0, 8, [2], 'F64') }, /doesn't fit its shape/],
    ['a list', [1, 2], /no JSON object/],
    ['nesting without end', '['.repeat(100_000), /no JSON object/],
    ['a name that leaves', { '../../x': entry(0, 8) }, /"..\/..\/x", which would leave its folder/],
    ['a name with nothing in it', { 'a//b': entry(0, 8) }, /has an empty part/],
    ['an array that is a folder', { a: entry(0, 4), 'a/b': entry(4, 8) }, /also a folder/],
    ['control characters', { 'a\u001b[2J': entry(0, 8) }, /control characters/],
    [
      'a name that reaches into prototypes',
      '{"__proto__": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}',
      /__proto__|its header says/,
    ],
  ])('%s', async (_, header, reason) => {
    write(header);
    await expectRefused(file, reason);
  });

  test('a header of 2^60 bytes', async () => {
    write({});
    const bytes = Buffer.alloc(20);
    bytes.writeBigUInt64LE(1n << 60n);
    bytes.write('{', 8);
    writeFileSync(file, bytes);
    await expectRefused(file, /header claims 11529215046068\d+ bytes of 20/);
  });
});

describe('npz', () => {
  test('names that leave the folder, or reach into prototypes', async () => {
    const file = join(folder, 'names.npz');
    await saveNpz(file, { 'aa/x': hostArray('float32', [1], [1]) });
    const bytes = readFileSync(file).toString('latin1');
    writeFileSync(file, Buffer.from(bytes.replaceAll('aa/x', '../x'), 'latin1'));
    await expectRefused(file, /\.\.\/x/);
    writeFileSync(file, 'PK\x03\x04 and then nothing');
    await expectRefused(file, /not a \.npz archive, or is cut short/);
  });
});

describe('a folder that the original wrote', () => {
  const metadata = {
    zarr_format: 2,
    shape: [2, 3],
    chunks: [2, 2],
    dtype: '<f4',
    order: 'C',
    compressor: { id: 'zlib', level: 1 },
    fill_value: null,
    filters: null,
    dimension_separator: '.',
  };
  const chunk = (...values: number[]) => Buffer.from(new Float32Array(values).buffer);
  let made = 0;
  const write = (change: object, chunks: Readonly<Record<string, Buffer>>) => {
    const location = join(folder, `ts-${made++}`);
    mkdirSync(join(location, 'params~w'), { recursive: true });
    writeFileSync(join(location, 'params~w', '.zarray'), JSON.stringify({ ...metadata, ...change }));
    for (const [key, bytes] of Object.entries(chunks)) writeFileSync(join(location, 'params~w', key), bytes);
    return location;
  };
  /** Column 3 is what lies beyond the array. */
  const left = chunk(1, 2, 4, 5);
  const right = chunk(3, 99, 6, 99);
  const sound = hostArray('float32', [2, 3], [1, 2, 3, 4, 5, 6]);
  const columns = { order: 'F' };

  test.each<[string, object, Record<string, Buffer>]>([
    ['zlib', {}, { '0.0': deflateSync(left), '0.1': deflateSync(right) }],
    ['gzip', { compressor: { id: 'gzip' } }, { '0.0': gzipSync(left), '0.1': gzipSync(right) }],
    ['plain', { compressor: null }, { '0.0': left, '0.1': right }],
    [
      'plain, column-major',
      { compressor: null, ...columns },
      { '0.0': chunk(1, 4, 2, 5), '0.1': chunk(3, 6, 99, 99) },
    ],
  ])('%s is read', async (_, change, chunks) => {
    const location = write(change, chunks);
    expect(await readAll(location)).toEqual(new Map([['params/w', sound]]));
    const archive = await openArchive(location);
    expect(await statisticsOf(archive, 'params/w')).toMatchObject({ min: 1, mean: 3.5, max: 6, nan: 0 });
  });

  const good = { '0.0': deflateSync(left), '0.1': deflateSync(right) };
  const zstd = { compressor: { id: 'zstd' } };
  const frame = (size: bigint) => {
    const bytes = Buffer.alloc(16);
    bytes.writeUInt32LE(0xfd2fb528);
    bytes.writeUInt8(0xe0, 4);
    bytes.writeBigUInt64LE(size, 5);
    return bytes;
  };
  test.each<[string, object, Record<string, Buffer>, RegExp]>([
    ['a missing chunk', {}, { '0.0': good['0.0'] }, /the chunk 0\.1 is missing/],
    ['a chunk cut short', {}, { ...good, '0.1': good['0.1'].subarray(0, 9) }, /the chunk 0\.1 is damaged/],
    ['a chunk of too little', {}, { ...good, '0.0': deflateSync(chunk(1)) }, /has 4 bytes instead of 16/],
    [
      'a bomb',
      {},
      { ...good, '0.0': deflateSync(Buffer.alloc(1e7)) },
      /0\.0 is damaged|0\.0 has \d+ bytes, more/,
    ],
    ['an absurd shape', { shape: [2 ** 52, 2 ** 52] }, good, /is impossible/],
    ['absurd chunks', { chunks: [2 ** 21, 2 ** 21] }, good, /GiB of memory/],
    ['chunks of nothing', { chunks: [0, 2] }, good, /isn't that of a Zarr array/],
    ['another rank', { chunks: [2] }, good, /different ranks/],
    ['another type', { dtype: '<c8' }, good, /its type is "<c8"/],
    ['Blosc', { compressor: { id: 'blosc' } }, good, /compressed with "blosc".*none, zstd, gzip, zlib/],
    ['a frame that lies', zstd, { '0.0': frame(1n << 40n) }, /claims 1099511627776 bytes instead of 16/],
    ['no frame', zstd, { '0.0': Buffer.from('nonsense') }, /no Zstandard frame/],
    ['a frame cut short', zstd, { '0.0': frame(16n) }, /the chunk 0\.0 is damaged/],
    ['filters', { filters: [{ id: 'delta' }] }, good, /without filters/],
  ])('%s', async (_, change, chunks, reason) => {
    await expectRefused(write(change, chunks), reason);
  });

  test('what can’t be read at all is said', async () => {
    const ocdbt = join(folder, 'ocdbt');
    mkdirSync(ocdbt);
    writeFileSync(join(ocdbt, 'manifest.ocdbt'), '');
    await expectRefused(ocdbt, /OCDBT.*no JavaScript library/);
    const zarr3 = join(folder, 'zarr3');
    mkdirSync(join(zarr3, 'w'), { recursive: true });
    writeFileSync(join(zarr3, 'w', 'zarr.json'), '{}');
    await expectRefused(zarr3, /Zarr arrays of version 3/);
    const empty = join(folder, 'empty');
    mkdirSync(empty);
    await expectRefused(empty, /folder without a checkpoint/);
    await expectRefused(join(folder, 'nothing'), /no file or folder/);
    writeFileSync(join(folder, 'text'), 'just text, and some more');
    await expectRefused(join(folder, 'text'), /neither an \.npz archive nor a safetensors file/);
  });
});
