// Element types of operands, as JAX promotes them. tfjs has matched its own dtypes already; what remains are the types
// that tensors are stored in: bf16 with f32 gives f32, a plain number with bf16 gives bf16, and what tfjs calls int32
// computes in i32 although it may be stored as ui8.

import * as hlo from '../stablehlo';
import type { ElementType, Value } from '../stablehlo';

const weak = new WeakSet<Value>();

/**
 * A value that came of plain numbers alone, and takes the type of what it meets. It is an object of its own: an equal
 * value that isn't weak may be elsewhere in the graph.
 */
export function asWeak(value: Value): Value {
  if (weak.has(value)) return value;
  const copy = { ...value };
  weak.add(copy);
  return copy;
}

export const isWeak = (value: Value): boolean => weak.has(value);

/** The type that arithmetic on a stored type uses. */
function arithmeticType(type: ElementType): ElementType {
  return hlo.isFloat(type) || type === 'i1' ? type : 'i32';
}

/** As a number: ui8 as i32. */
export const number = (x: Value): Value => hlo.convert(x, arithmeticType(x.type));

/** As a float: integers and i1 become f32. */
export const float = (x: Value): Value => (hlo.isFloat(x.type) ? x : hlo.convert(x, 'f32'));

/** Sums and the like accumulate in float32. */
export const accumulator = (x: Value): Value =>
  x.type === 'bf16' || x.type === 'f16' ? hlo.convert(x, 'f32') : x;

function promotedType(values: readonly Value[]): ElementType {
  const strong = values.filter((value) => !isWeak(value));
  const types = new Set((strong.length > 0 ? strong : values).map(({ type }) => arithmeticType(type)));
  if (types.size === 1) return [...types][0]!;
  const all = [...types];
  if (all.some(hlo.isFloat)) return all.filter(hlo.isFloat).length === 1 ? all.find(hlo.isFloat)! : 'f32';
  return 'i32';
}

/** All in their common type. */
export function promote(...values: Value[]): Value[] {
  const type = promotedType(values);
  return values.map((value) => hlo.convert(value, type));
}
