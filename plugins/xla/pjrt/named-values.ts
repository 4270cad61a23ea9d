// PJRT_NamedValue: options that we pass, and properties that a plugin reports.

import { arrayOf, type Inputs, type Memory, type Struct, structsAt, textAt, wordsAt } from './memory';

export type NamedValue = string | number | boolean | readonly number[];
export type NamedValues = Readonly<Record<string, NamedValue>>;

const Type = { string: 0, int64: 1, int64List: 2, float: 3, bool: 4 } as const;

export interface EncodedValues {
  readonly values: Memory;
  readonly count: number;
}

/** An integral number is passed as int64, another as float. */
export function encodeNamedValues(values: NamedValues = {}): EncodedValues {
  const entries = Object.entries(values).map(([key, value]) => {
    const name = Buffer.from(key);
    return { name, name_size: name.length, ...encode(value) };
  });
  return { values: arrayOf('PJRT_NamedValue', entries), count: entries.length };
}

function encode(value: NamedValue): Inputs<'PJRT_NamedValue'> {
  switch (typeof value) {
    case 'string': {
      const bytes = Buffer.from(value);
      return { type: Type.string, string_value: bytes, value_size: bytes.length };
    }
    case 'boolean':
      return { type: Type.bool, bool_value: value, value_size: 1 };
    case 'number':
      return Number.isInteger(value)
        ? { type: Type.int64, int64_value: value, value_size: 1 }
        : { type: Type.float, float_value: value, value_size: 1 };
    case 'object': {
      const list = BigInt64Array.from(value, BigInt);
      return { type: Type.int64List, int64_array_value: list, value_size: list.length };
    }
  }
}

export function decodeNamedValues(address: bigint, count: number): NamedValues {
  const entries = structsAt('PJRT_NamedValue', address, count);
  return Object.fromEntries(
    entries.map((entry) => [textAt(entry.get('name'), entry.get('name_size')), decode(entry)]),
  );
}

function decode(entry: Struct<'PJRT_NamedValue'>): NamedValue {
  switch (entry.get('type')) {
    case Type.string:
      return textAt(entry.get('string_value'), entry.get('value_size'));
    case Type.int64:
      return entry.get('int64_value');
    case Type.int64List:
      return [...wordsAt(entry.get('int64_array_value'), entry.get('value_size'))].map((word) =>
        Number(BigInt.asIntN(64, word)),
      );
    case Type.float:
      return entry.get('float_value');
    case Type.bool:
      return entry.get('bool_value');
    default:
      throw new TypeError(`PJRT_NamedValue of unknown type ${entry.get('type')}`);
  }
}
