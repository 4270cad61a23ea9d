import * as fc from 'fast-check';
import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { allocate, bytesOf, type DType, hostArray, type HostArray } from '../../../core/array';
import { SafetensorsReader, saveSafetensors } from '../../../core/checkpoint/safetensors';
import { sourcesOf } from '../../../core/checkpoint/archive';
import { UserError } from '../../../core/errors';
import { temporaryFolder } from '../../support/temporary';

const folder = temporaryFolder();

async function write(name: string, arrays: [string, HostArray][]): Promise<string> {
  const file = path.join(folder, name);
  await saveSafetensors(file, sourcesOf(arrays));
  return file;
}

async function read(file: string, wanted: (name: string) => boolean = () => true) {
  const reader = await SafetensorsReader.open(file);
  try {
    const arrays: [string, HostArray][] = [];
    for (const name of reader.names) if (wanted(name)) arrays.push([name, await reader.read(name)]);
    return arrays;
  } finally {
    await reader.close();
  }
}

test('any named arrays come back as they were', async () => {
  const dtypes: DType[] = ['float32', 'int32', 'uint8', 'bool', 'bfloat16', 'float16'];
  const array = fc
    .tuple(
      fc.constantFrom(...dtypes),
      fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 3 }),
      fc.nat(255),
    )
    .map(([dtype, shape, seed]) => {
      const made = allocate(dtype, shape);
      bytesOf(made).forEach(
        (_, i, bytes) => (bytes[i] = dtype === 'bool' ? (seed + i) % 2 : (seed * 7 + i * 31) % 251),
      );
      return made;
    });
  const named = fc.uniqueArray(fc.tuple(fc.string({ minLength: 1 }), array), {
    selector: ([name]) => name,
    maxLength: 5,
  });
  await fc.assert(
    fc.asyncProperty(named, async (arrays) => {
      // A name that JavaScript objects treat specially can't be a key of the header.
      fc.pre(arrays.every(([name]) => name !== '__metadata__' && name !== '__proto__'));
      const back = new Map(await read(await write('any.safetensors', arrays)));
      expect(back.size).toBe(arrays.length);
      for (const [name, array] of arrays) {
        expect(back.get(name)).toMatchObject({ dtype: array.dtype, shape: array.shape });
        expect(Buffer.compare(bytesOf(back.get(name) as HostArray), bytesOf(array))).toBe(0);
      }
    }),
    { numRuns: 40 },
  );
});

test('only the wanted arrays are read', async () => {
  const file = await write('two.safetensors', [
    ['a', hostArray('float32', [2], [1, 2])],
    ['b', hostArray('int32', [], [7])],
  ]);
  expect(await read(file, (name) => name === 'b')).toEqual([['b', hostArray('int32', [], [7])]]);
});

describe('damaged files are one clear error', () => {
  const cases: [string, (bytes: Buffer) => Buffer][] = [
    ['it has 3 bytes', (bytes) => bytes.subarray(0, 3)],
    ['its header claims', (bytes) => (bytes.writeBigUInt64LE(1n << 60n), bytes)],
    ['its header is no JSON object', (bytes) => (bytes.write('x', 8), bytes)],
    ['the byte range', (bytes) => bytes.subarray(0, bytes.length - 4)],
    ['the unknown dtype', (bytes) => (bytes.write('F99', bytes.indexOf('F32')), bytes)],
  ];
  test.each(cases)('%s', async (problem, damage) => {
    const file = await write('whole.safetensors', [['a', hostArray('float32', [4], [1, 2, 3, 4])]]);
    await fs.writeFile(file, damage(await fs.readFile(file)));
    const error = await read(file).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(UserError);
    expect((error as UserError).message).toContain(problem);
    expect((error as UserError).message).toContain(file);
  });
});
