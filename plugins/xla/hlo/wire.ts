// Reads protocol buffers without a schema: the fields of a message in order, by number. Enough for the few fields of
// HLO modules that we look at; writing is pjrt/protobuf.ts.

/** An integer for varints and fixed-width numbers, bytes for texts, messages and packed lists. */
export type WireValue = bigint | Uint8Array;

export function* fieldsOf(message: Uint8Array): Generator<readonly [field: number, value: WireValue]> {
  const reader = new Reader(message);
  while (!reader.done) {
    const key = Number(reader.varint());
    const field = key >>> 3;
    switch (key & 7) {
      case 0:
        yield [field, reader.varint()];
        break;
      case 1:
        yield [field, reader.fixed(8)];
        break;
      case 2:
        yield [field, reader.bytes(Number(reader.varint()))];
        break;
      case 5:
        yield [field, reader.fixed(4)];
        break;
      default:
        throw new RangeError(`Not a protocol buffer: wire type ${key & 7}`);
    }
  }
}

/** The integers of a repeated field, of which each occurrence is one number or a packed list. */
export function integersOf(value: WireValue): number[] {
  if (typeof value === 'bigint') return [Number(BigInt.asIntN(64, value))];
  const reader = new Reader(value);
  const found: number[] = [];
  while (!reader.done) found.push(Number(BigInt.asIntN(64, reader.varint())));
  return found;
}

class Reader {
  private at = 0;

  constructor(private readonly data: Uint8Array) {}

  get done(): boolean {
    return this.at >= this.data.length;
  }

  varint(): bigint {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = this.data[this.at++];
      if (byte === undefined) throw new RangeError('Not a protocol buffer: it ends within a number');
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
  }

  fixed(width: number): bigint {
    return this.bytes(width).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }

  bytes(count: number): Uint8Array {
    if (this.at + count > this.data.length) throw new RangeError('Not a protocol buffer: it ends too early');
    return this.data.subarray(this.at, (this.at += count));
  }
}
