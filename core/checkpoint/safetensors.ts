// The safetensors format (github.com/huggingface/safetensors): a JSON header of names, dtypes, shapes and byte ranges
// after its length (uint64, little-endian), then the arrays' bytes. Read and written array by array, so that memory
// holds no more than one beyond the arrays themselves.

import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { z } from 'zod';
import {
  type ArraySpec,
  bytesOf,
  bytesPerElement,
  type DType,
  fromBytes,
  type HostArray,
  sizeOf,
} from '../array';
import { catalogue } from '../errors';

export const safetensorsErrors = catalogue('safetensors', {
  damaged: (v: { file: string; problem: string }) => ({
    what: `${v.file} is not an intact safetensors file: ${v.problem}.`,
    fix: 'copy it again from where it came, or use another checkpoint.',
  }),
});

const dtypeNames = {
  float32: 'F32',
  int32: 'I32',
  uint8: 'U8',
  bool: 'BOOL',
  bfloat16: 'BF16',
  float16: 'F16',
} as const satisfies Record<DType, string>;
const dtypesByName = new Map<string, DType>(
  Object.entries(dtypeNames).map(([dtype, name]) => [name, dtype as DType]),
);

/** Arrays above this are written in parts, so that the event loop turns between them. */
const chunkBytes = 4 << 20;
/** The reference implementation's limit. */
const maxHeaderBytes = 100_000_000;

const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(z.number().int().min(0)),
  data_offsets: z.tuple([z.number().int().min(0), z.number().int().min(0)]),
});
const headerSchema = z.record(z.string(), z.unknown());

/** What identifies a file's content. */
export interface FileDigest {
  readonly bytes: number;
  readonly sha256: string;
}

/** Writes named arrays in order and returns the digest of all that was written. */
export async function writeSafetensors(
  file: FileHandle,
  arrays: readonly (readonly [name: string, array: HostArray])[],
): Promise<FileDigest> {
  let offset = 0;
  const entries = arrays.map(([name, { dtype, shape, data }]) => {
    const begin = offset;
    offset += data.byteLength;
    return [name, { dtype: dtypeNames[dtype], shape, data_offsets: [begin, offset] }];
  });
  const json = JSON.stringify(Object.fromEntries(entries));
  // Padded with spaces so that the data is aligned for every dtype.
  const header = Buffer.from(json.padEnd(Math.ceil((Buffer.byteLength(json) + 8) / 64) * 64 - 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.byteLength));

  const hash = createHash('sha256');
  let bytes = 0;
  const write = async (chunk: Uint8Array) => {
    hash.update(chunk);
    await file.writeFile(chunk);
    bytes += chunk.byteLength;
  };
  await write(length);
  await write(header);
  for (const [, array] of arrays) {
    const all = bytesOf(array);
    for (let at = 0; at < all.byteLength; at += chunkBytes) await write(all.subarray(at, at + chunkBytes));
  }
  return { bytes, sha256: hash.digest('hex') };
}

/** The named specs of a file, in the order of their data. */
export async function readSafetensorsHeader(
  file: FileHandle,
  path: string,
): Promise<{
  readonly entries: readonly (readonly [name: string, spec: ArraySpec, at: number])[];
  readonly bytes: number;
}> {
  const damaged = (problem: string) => safetensorsErrors.damaged({ file: path, problem });
  const { size } = await file.stat();
  if (size < 8) throw damaged(`it has ${size} bytes`);
  const length = Number((await readExactly(file, 0, 8, path)).readBigUInt64LE());
  if (length > maxHeaderBytes || length > size - 8)
    throw damaged(`its header claims ${length} bytes of ${size}`);
  let header: Record<string, unknown>;
  try {
    header = headerSchema.parse(JSON.parse((await readExactly(file, 8, length, path)).toString('utf8')));
  } catch (cause) {
    throw damaged(`its header is no JSON object (${(cause as Error).message.split('\n')[0]})`);
  }
  const dataStart = 8 + length;
  const entries = Object.entries(header)
    .filter(([name]) => name !== '__metadata__')
    .map(([name, value]) => {
      const entry = entrySchema.safeParse(value);
      if (!entry.success) throw damaged(`the entry of "${name}" is malformed`);
      const {
        dtype: dtypeName,
        shape,
        data_offsets: [begin, end],
      } = entry.data;
      const dtype = dtypesByName.get(dtypeName);
      if (!dtype) throw damaged(`"${name}" has the unknown dtype ${dtypeName}`);
      if (end - begin !== sizeOf(shape) * bytesPerElement(dtype) || dataStart + end > size) {
        throw damaged(`the byte range [${begin}, ${end}) of "${name}" doesn't fit its shape or the file`);
      }
      return [name, { dtype, shape }, dataStart + begin] as const;
    });
  entries.sort((a, b) => a[2] - b[2]);
  return { entries, bytes: size };
}

/** Reads all arrays, or those that `wanted` picks. */
export async function readSafetensors(
  file: FileHandle,
  path: string,
  wanted: (name: string) => boolean = () => true,
): Promise<[name: string, array: HostArray][]> {
  const { entries } = await readSafetensorsHeader(file, path);
  const arrays: [string, HostArray][] = [];
  for (const [name, { dtype, shape }, at] of entries) {
    if (!wanted(name)) continue;
    const bytes = await readExactly(file, at, sizeOf(shape) * bytesPerElement(dtype), path);
    arrays.push([name, fromBytes(dtype, shape, bytes)]);
  }
  return arrays;
}

async function readExactly(
  file: FileHandle,
  position: number,
  length: number,
  path: string,
): Promise<Buffer> {
  // Allocated apart from Node's pool, so that the array keeps no foreign memory alive and is aligned.
  const buffer = Buffer.from(new ArrayBuffer(length));
  let done = 0;
  while (done < length) {
    const { bytesRead } = await file.read(buffer, done, length - done, position + done);
    if (bytesRead === 0)
      throw safetensorsErrors.damaged({ file: path, problem: `it ends at byte ${position + done}` });
    done += bytesRead;
  }
  return buffer;
}
