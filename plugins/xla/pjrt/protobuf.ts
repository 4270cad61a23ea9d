// Writes protocol buffers: just what CompileOptionsProto needs.

/** A message's fields, encoded. */
export type Message = readonly number[];

/** Two's complement on 64 bits, as protobuf's int64 is. */
function varint(value: number | bigint): number[] {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return bytes;
}

const key = (field: number, wireType: number) => varint((field << 3) | wireType);

export const int = (field: number, value: number | bigint): Message => [...key(field, 0), ...varint(value)];

export const bool = (field: number, value: boolean): Message => int(field, value ? 1 : 0);

export function double(field: number, value: number): Message {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return [...key(field, 1), ...bytes];
}

const bytes = (field: number, value: Iterable<number>): Message => {
  const content = [...value];
  return [...key(field, 2), ...varint(content.length), ...content];
};

export const text = (field: number, value: string): Message => bytes(field, Buffer.from(value, 'utf8'));

export const message = (field: number, ...parts: readonly Message[]): Message => bytes(field, parts.flat());
