// Checkpoints of TensorFlow, as BERT's authors released theirs: PREFIX.index and PREFIX.data-00000-of-0000N.
//
// The index is a table of LevelDB (github.com/google/leveldb, doc/table_format.md), not compressed: blocks of sorted keys with
// the start that they share with the one before left out, and at the end a block that says where they are. Its values are
// protocol buffers: BundleEntryProto of tensorflow/core/protobuf/tensor_bundle.proto.

import * as fs from 'node:fs/promises';
import { fromBytes, type HostArray, sizeOf } from '../../core/array';
import { catalogue } from '../../core/errors';

const errors = catalogue('tensorflow', {
  damaged: (v: { file: string; problem: string }) => ({
    what: `"${v.file}" isn't the index of a TensorFlow checkpoint, or is damaged: ${v.problem}.`,
    fix: 'unpack it again; its files are NAME.index and NAME.data-00000-of-00001.',
  }),
});

const magic = 0xdb4775248b80fb57n;
const footerBytes = 48;
/** DT_FLOAT: other variables, such as the step, aren't parameters. */
const float32 = 1;

/** All float32 variables by name. `prefix`: the path without ".index". */
export async function readTensorflow(prefix: string): Promise<Map<string, HostArray>> {
  const file = `${prefix}.index`;
  const index = await fs.readFile(file);
  const damaged = (problem: string) => errors.damaged({ file, problem });
  if (index.length < footerBytes || index.readBigUInt64LE(index.length - 8) !== magic)
    throw damaged('it does not end as a table does');
  const footer = new Reader(index.subarray(index.length - footerBytes));
  blockHandle(footer);
  const blocks = [...entries(blockAt(index, blockHandle(footer)))];
  const found = new Map<string, HostArray>();
  const shards = new Map<string, fs.FileHandle>();
  let count = 1;
  try {
    for (const [, handle] of blocks)
      for (const [name, value] of entries(blockAt(index, blockHandle(new Reader(handle))))) {
        const fields = protobuf(value);
        // The first entry, with an empty name, is about the whole: it says how many files of data there are.
        if (name === '') count = Number(fields.get(1)?.[0] ?? 1n);
        else if (Number(fields.get(1)?.[0]) === float32) {
          const shape = (fields.get(2) ?? []).flatMap((shape) => shapeOf(shape as Buffer));
          const [shard, offset, bytes] = [3, 4, 5].map((field) => Number(fields.get(field)?.[0] ?? 0n));
          if (bytes !== 4 * sizeOf(shape)) throw damaged(`${name} has ${bytes} bytes and shape [${shape}]`);
          const path = `${prefix}.data-${padded(shard as number)}-of-${padded(count)}`;
          const data = shards.get(path) ?? (await fs.open(path));
          shards.set(path, data);
          const buffer = new Uint8Array(bytes as number);
          const { bytesRead } = await data.read(buffer, 0, bytes, offset);
          if (bytesRead !== bytes) throw damaged(`${path} ends before ${name}`);
          found.set(name, fromBytes('float32', shape, buffer));
        }
      }
  } finally {
    for (const data of shards.values()) await data.close();
  }
  return found;
}

const padded = (n: number) => String(n).padStart(5, '0');

class Reader {
  at = 0;
  constructor(readonly bytes: Buffer) {}

  get done(): boolean {
    return this.at >= this.bytes.length;
  }
  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.bytes.readUInt8(this.at++);
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  }
  take(count: number): Buffer {
    return this.bytes.subarray(this.at, (this.at += count));
  }
}

type Handle = readonly [offset: number, size: number];
const blockHandle = (reader: Reader): Handle => [Number(reader.varint()), Number(reader.varint())];
const blockAt = (index: Buffer, [offset, size]: Handle) => index.subarray(offset, offset + size);

function* entries(block: Buffer): Generator<readonly [key: string, value: Buffer]> {
  // After the entries: where those are that share nothing, and how many.
  const restarts = block.readUInt32LE(block.length - 4);
  const reader = new Reader(block.subarray(0, block.length - 4 * (restarts + 1)));
  let key = Buffer.alloc(0);
  while (!reader.done) {
    const [shared, added, size] = [reader.varint(), reader.varint(), reader.varint()].map(Number);
    key = Buffer.concat([key.subarray(0, shared), reader.take(added as number)]);
    yield [key.toString('utf8'), reader.take(size as number)];
  }
}

/** Fields by number: numbers, and bytes of texts and inner messages. */
function protobuf(message: Buffer): Map<number, (bigint | Buffer)[]> {
  const fields = new Map<number, (bigint | Buffer)[]>();
  const reader = new Reader(message);
  while (!reader.done) {
    const tag = Number(reader.varint());
    const value = {
      0: () => reader.varint(),
      1: () => reader.take(8),
      2: () => reader.take(Number(reader.varint())),
      5: () => reader.take(4),
    }[tag & 7];
    if (!value) break;
    fields.set(tag >> 3, [...(fields.get(tag >> 3) ?? []), value()]);
  }
  return fields;
}

const shapeOf = (shape: Buffer): number[] =>
  (protobuf(shape).get(2) ?? []).map((dim) => Number(protobuf(dim as Buffer).get(1)?.[0] ?? 0n));
