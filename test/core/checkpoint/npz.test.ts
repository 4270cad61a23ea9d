import { createHash } from 'node:crypto';
import { createWriteStream, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { crc32, deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { ZipFile } from 'yazl';
import { type DType, type HostArray, allocate, hostArray } from '../../../core/array';
import { NpyDecoder, npyHeader, parseNpyHeader } from '../../../core/checkpoint/npy';
import { NpzReader, readNpz, saveNpz } from '../../../core/checkpoint/npz';
import { ArrayBuilder } from '../../../core/checkpoint/stored';
import { UserError } from '../../../core/errors';
import { namedLeaves, type Tree } from '../../../core/tree';

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), 'npz-'))));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

const tree = {
  params: {
    head: {
      kernel: hostArray('float32', [2, 3], [1, -2, 3.5, 0, 1e-30, 6]),
      bias: hostArray('float32', [3], [1, 2, 3]),
    },
  },
  step: hostArray('int32', [], [7]),
  image: hostArray('uint8', [2, 2], [0, 1, 254, 255]),
  mask: hostArray('bool', [3], [1, 0, 1]),
  half: hostArray('float16', [2], [0x3c00, 0xbc00]),
  brain: hostArray('bfloat16', [2], [0x3f80, 0xbf80]),
  empty: allocate('float32', [0, 4]),
};

/** One entry of a zip archive written by hand, so that each field can lie. */
interface RawEntry {
  readonly name: string;
  readonly data: Buffer;
  readonly deflate?: boolean;
  readonly crc?: number;
  readonly size?: number;
}

function zipOf(entries: readonly RawEntry[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, data, deflate, crc = crc32(data), size = data.length } of entries) {
    const stored = deflate ? deflateRawSync(data) : data;
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(deflate ? 8 : 0, 4);
    fields.writeUInt32LE(crc, 10);
    fields.writeUInt32LE(stored.length, 14);
    fields.writeUInt32LE(size, 18);
    fields.writeUInt16LE(name.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    parts.push(Buffer.from('PK\x03\x04', 'latin1'), fields, Buffer.from(name), stored);
    directory.push(Buffer.from('PK\x01\x02\x14\x00', 'latin1'), fields, tail, Buffer.from(name));
    offset += 30 + name.length + stored.length;
  }
  const list = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 0, 'latin1');
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(list.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, list, end]);
}

/** A .npy with any header. */
function npy(dict: string, body: Buffer, version = 1): Buffer {
  const head = Buffer.alloc(version === 1 ? 10 : 12);
  head.write('\x93NUMPY', 0, 'latin1');
  head.writeUInt8(version, 6);
  if (version === 1) head.writeUInt16LE(dict.length, 8);
  else head.writeUInt32LE(dict.length, 8);
  return Buffer.concat([head, Buffer.from(dict), body]);
}
const header = (descr: string, shape: string, fortran = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`;

function writeZip(name: string, entries: readonly RawEntry[]): string {
  writeFileSync(at(name), zipOf(entries));
  return at(name);
}
const readOne = async (data: Buffer, more: Partial<RawEntry> = {}): Promise<HostArray> => {
  const arrays = await readNpz(writeZip('one.npz', [{ name: 'x.npy', data, ...more }]));
  return arrays.get('x') as HostArray;
};

describe.each([false, true])('round trip, compress %s', (compress) => {
  test('every type and shape', async () => {
    const file = at(`round-${compress}.npz`);
    await saveNpz(file, tree, { compress });
    const arrays = await readNpz(file);
    const leaves = namedLeaves<HostArray>(tree as Tree<HostArray>);
    expect([...arrays.keys()]).toEqual(leaves.map(([name]) => name));
    for (const [name, array] of leaves) expect(arrays.get(name)).toEqual(array);
    expect(readdirSync(folder).filter((name) => name.endsWith('.partial'))).toEqual([]);
  });
});

test('the same tree gives the same bytes', async () => {
  await saveNpz(at('a.npz'), tree);
  await saveNpz(at('b.npz'), tree);
  const [a, b] = ['a.npz', 'b.npz'].map((name) =>
    createHash('sha1')
      .update(readFileSync(at(name)))
      .digest('hex'),
  );
  expect(a).toBe(b);
});

test('an array larger than any piece', async () => {
  const big = allocate('float32', [700_001]);
  big.data.forEach((_, i) => (big.data[i] = i % 1013));
  await saveNpz(at('big.npz'), { big }, { compress: true });
  expect((await readNpz(at('big.npz'))).get('big')).toEqual(big);
});

test('64-bit archives, as NumPy writes all of its own', async () => {
  const zip = new ZipFile();
  const data = Buffer.concat([npyHeader(tree.image), tree.image.data]);
  zip.addBuffer(data, 'image.npy', { forceZip64Format: true, compress: true });
  zip.end({ forceZip64Format: true, comment: '' });
  await pipeline(zip.outputStream, createWriteStream(at('zip64.npz')));
  expect((await readNpz(at('zip64.npz'))).get('image')).toEqual(tree.image);
});

test('reads only what is wanted', async () => {
  await saveNpz(at('some.npz'), tree);
  const arrays = await readNpz(at('some.npz'), (name) => name.startsWith('params/'));
  expect([...arrays.keys()]).toEqual(['params/head/bias', 'params/head/kernel']);
});

test('any cut of a stream into pieces gives the same array', () => {
  const doubles = Buffer.from(new Float64Array([1, 2.5, -3, 4, 5, 1e-3]).buffer);
  const bytes = npy(header('<f8', '(2, 3)', 'True'), doubles);
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (sizes) => {
      const decoder = new NpyDecoder(bytes.length);
      let builder: ArrayBuilder | undefined;
      for (let start = 0, i = 0; start < bytes.length; i++) {
        const size = sizes[i % sizes.length] as number;
        const values = decoder.push(bytes.subarray(start, start + size));
        if (decoder.array) (builder ??= new ArrayBuilder(decoder.array)).push(values);
        start += size;
      }
      decoder.finish();
      expect(builder?.finish()).toEqual(hostArray('float32', [2, 3], [1, -3, 5, 2.5, 4, 1e-3]));
    }),
  );
});

describe('conversions', () => {
  const cases: [string, Buffer, DType, number[]][] = [
    ['<f8', Buffer.from(new Float64Array([0.1, -1e300]).buffer), 'float32', [Math.fround(0.1), -Infinity]],
    ['<i8', Buffer.from(new BigInt64Array([-5n, 2n ** 31n - 1n]).buffer), 'int32', [-5, 2 ** 31 - 1]],
    ['<u4', Buffer.from(new Uint32Array([5, 6]).buffer), 'int32', [5, 6]],
    ['<i2', Buffer.from(new Int16Array([-5, 6]).buffer), 'int32', [-5, 6]],
    ['|i1', Buffer.from(new Int8Array([-5, 6]).buffer), 'int32', [-5, 6]],
    ['>f4', Buffer.from([0x3f, 0x80, 0, 0, 0xbf, 0x80, 0, 0]), 'float32', [1, -1]],
    ['|V2', Buffer.from([0x80, 0x3f, 0x80, 0xbf]), 'bfloat16', [0x3f80, 0xbf80]],
    ['<V2', Buffer.from([0x80, 0x3f, 0x80, 0xbf]), 'bfloat16', [0x3f80, 0xbf80]],
  ];
  test.each(cases)('%s', async (descr, body, dtype, values) => {
    expect(await readOne(npy(header(descr, '(2,)'), body))).toEqual(hostArray(dtype, [2], values));
  });

  test('column-major order, three axes', async () => {
    const body = Buffer.from(new Int32Array(Array.from({ length: 24 }, (_, i) => i)).buffer);
    const array = await readOne(npy(header('<i4', '(2, 3, 4)', 'True'), body));
    const want = allocate('int32', [2, 3, 4]);
    for (let i = 0; i < 2; i++)
      for (let j = 0; j < 3; j++)
        for (let k = 0; k < 4; k++) want.data[(i * 3 + j) * 4 + k] = i + 2 * j + 6 * k;
    expect(array).toEqual(want);
  });

  test('headers of versions 2 and 3', async () => {
    const body = Buffer.from([1, 2]);
    for (const version of [2, 3]) {
      expect(await readOne(npy(header('|u1', '(2,)'), body, version))).toEqual(
        hostArray('uint8', [2], [1, 2]),
      );
    }
  });
});

test('headers as NumPy writes them', () => {
  const made = npyHeader({ dtype: 'float32', shape: [3] });
  expect(made.length % 64).toBe(0);
  expect(made.toString('latin1', 10).trimEnd()).toBe(
    "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }",
  );
  expect(parseNpyHeader("{'descr': '<f4', 'fortran_order': False, 'shape': (2L, 3L), }").shape).toEqual([
    2, 3,
  ]);
  expect(parseNpyHeader('{"descr": "<f4", "fortran_order": True, "shape": ()}')).toEqual({
    descr: '<f4',
    fortranOrder: true,
    shape: [],
  });
});

describe('damaged, foreign and hostile files', () => {
  const failure = async (run: Promise<unknown>): Promise<UserError> => {
    const error: unknown = await run.then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(UserError);
    return error as UserError;
  };
  const ok = npy(header('<f4', '(2,)'), Buffer.alloc(8));

  test('no such file', async () => {
    expect((await failure(readNpz(at('nowhere.npz')))).code).toBe('npz/missing');
  });

  test('a folder', async () => {
    expect((await failure(readNpz(folder))).code).toBe('npz/missing');
  });

  test('a truncated file, at any length', async () => {
    await saveNpz(at('whole.npz'), tree);
    const whole = readFileSync(at('whole.npz'));
    for (let length = 0; length < whole.length; length += 97) {
      writeFileSync(at('cut.npz'), whole.subarray(0, length));
      const error = await failure(readNpz(at('cut.npz')));
      expect(error.code).toBe('npz/not-npz');
      expect(error.message).toContain('cut.npz');
    }
  });

  test('any changed byte is an error of ours, or changes no value', async () => {
    await saveNpz(at('clean.npz'), { x: tree.params.head.kernel, y: tree.step }, { compress: true });
    const clean = readFileSync(at('clean.npz'));
    const want = await readNpz(at('clean.npz'));
    for (let i = 0; i < clean.length; i++) {
      const dirty = Buffer.from(clean);
      dirty.writeUInt8(clean.readUInt8(i) ^ 0x41, i);
      writeFileSync(at('dirty.npz'), dirty);
      const got: unknown = await readNpz(at('dirty.npz')).catch((error: unknown) => error);
      // A name may come out wrong, which whoever asks for it by name notices.
      if (got instanceof Map)
        for (const array of got.values()) expect([...want.values()]).toContainEqual(array);
      else expect(got).toBeInstanceOf(UserError);
    }
  });

  test('a zip without arrays', async () => {
    const error = await failure(
      readNpz(writeZip('no.npz', [{ name: 'readme.txt', data: Buffer.from('hello') }])),
    );
    expect(error.message).toContain('holds no arrays');
  });

  test.each([
    [
      'an entry that is no array',
      npy(header('<f4', '(2,)'), Buffer.alloc(8)).fill(0, 0, 6),
      "doesn't start as",
    ],
    ['an entry that ends in its header', ok.subarray(0, 30), 'ends within the header'],
    [
      'a header that claims too much',
      npy(header('<f4', '(1000000000,)'), Buffer.alloc(8)),
      'bytes, and there are 8',
    ],
    [
      'a header that claims too little',
      npy(header('<f4', '(1,)'), Buffer.alloc(8)),
      'bytes, and there are 8',
    ],
    ['an impossible shape', npy(header('<f4', '(99999999999, 99999999999)'), Buffer.alloc(8)), 'impossible'],
    ['a long header', npy(header('<f4', '(2,)').padEnd(70_000), Buffer.alloc(8), 2), 'claims 70000 bytes'],
    ['a header in another language', npy('{"a": 1}', Buffer.alloc(8)), "can't be understood"],
    ['a negative size', npy(header('<f4', '(-2,)'), Buffer.alloc(8)), "can't be understood"],
    ['pickled objects', npy(header('|O', '(2,)'), Buffer.alloc(8)), 'its type is "|O"'],
    ['text', npy(header('<U2', '(1,)'), Buffer.alloc(8)), 'its type is "<U2"'],
    ['complex numbers', npy(header('<c8', '(1,)'), Buffer.alloc(8)), 'its type is "<c8"'],
    [
      'an integer beyond int32',
      npy(header('<i8', '(1,)'), Buffer.from(new BigInt64Array([2n ** 31n]).buffer)),
      'fit into int32',
    ],
  ])('%s', async (_, data, reason) => {
    const error = await failure(readOne(data));
    expect(error.code).toBe('npz/entry');
    expect(error.message).toContain('"x"');
    expect(error.message).toContain(reason);
  });

  test('a wrong checksum', async () => {
    expect((await failure(readOne(ok, { crc: 1 }))).message).toContain('checksum');
  });

  test('a size that no compression can reach', async () => {
    const error = await failure(readOne(ok, { deflate: true, size: 2 ** 31 }));
    expect(error.message).toContain('its size is a lie');
  });

  test('the same name twice, and a name that would reach into prototypes', async () => {
    const x = { name: 'x.npy', data: ok };
    expect((await failure(readNpz(writeZip('twice.npz', [x, x])))).message).toContain('twice');
    const evil = { name: '__proto__/x.npy', data: ok };
    expect((await failure(readNpz(writeZip('proto.npz', [evil])))).message).toContain('__proto__');
  });

  test('an unknown entry names the nearest', async () => {
    await saveNpz(at('known.npz'), tree);
    const reader = await NpzReader.open(at('known.npz'));
    expect((await failure(reader.read('params/head/kernal'))).message).toContain(
      'Did you mean "params/head/kernel"?',
    );
    await reader.close();
  });

  test('a folder that is not there', async () => {
    const error = await failure(saveNpz(at('no/such/folder.npz'), tree));
    expect(error.code).toBe('npz/write');
    expect(error.exitCode).toBe(4);
  });
});
