// PJRT_NamedValue: options that we pass, and properties that a plugin reports.

import { addressOf, arrayOf, NULL, structsAt, textAt, wordsAt, type Struct } from './memory';

export type NamedValue = string | number | boolean | readonly number[];
export type NamedValues = Readonly<Record<string, NamedValue>>;

const Type = { string: 0, int64: 1, int64List: 2, float: 3, bool: 4 } as const;

/** Native values; keep the object until the call that gets `address` and `count` has returned. */
export interface EncodedValues {
  readonly address: bigint;
  readonly count: number;
  readonly kept: readonly unknown[];
}

/** An integral number is passed as int64, another as float. */
export function encodeNamedValues(values: NamedValues = {}): EncodedValues {
  const kept: unknown[] = [];
  const keep = <T extends ArrayBufferView>(view: T) => {
    kept.push(view);
    return view;
  };
  const entries = Object.entries(values).map(([name, value]) => {
    const bytes = keep(Buffer.from(name));
    return { name: addressOf(bytes), name_size: bytes.length, ...encode(value, keep) };
  });
  const array = arrayOf('PJRT_NamedValue', entries);
  kept.push(array);
  return { address: entries.length ? array.address : NULL, count: entries.length, kept };
}

function encode(value: NamedValue, keep: <T extends ArrayBufferView>(view: T) => T) {
  switch (typeof value) {
    case 'string': {
      const bytes = keep(Buffer.from(value));
      return { type: Type.string, string_value: addressOf(bytes), value_size: bytes.length };
    }
    case 'boolean':
      return { type: Type.bool, bool_value: value, value_size: 1 };
    case 'number':
      return Number.isInteger(value)
        ? { type: Type.int64, int64_value: value, value_size: 1 }
        : { type: Type.float, float_value: value, value_size: 1 };
    case 'object': {
      const list = keep(BigInt64Array.from(value, BigInt));
      return { type: Type.int64List, int64_array_value: addressOf(list), value_size: list.length };
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
