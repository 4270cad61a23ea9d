// Operations on each element. Binary ones want operands of one type and shape: broadcasting is the caller's.

import { check, checkSameType } from './check';
import type { Value } from './graph';
import { describeType, type ElementType, isFloat, isUnsigned, printType, sameShape } from './types';

type Unary = (x: Value) => Value;
type Binary = (a: Value, b: Value) => Value;

const unary =
  (name: string): Unary =>
  (x) =>
    x.graph.emit(`stablehlo.${name} ${x.name} : ${x.typeText}`, [x], x.type, x.shape);

const floatUnary =
  (name: string): Unary =>
  (x) => {
    check(isFloat(x.type), name, () => `wants floats, got ${describeType(x)}`);
    return x.graph.emit(`stablehlo.${name} ${x.name} : ${x.typeText}`, [x], x.type, x.shape);
  };

const chloUnary =
  (name: string): Unary =>
  (x) => {
    check(isFloat(x.type), `chlo.${name}`, () => `wants floats, got ${describeType(x)}`);
    return x.graph.emit(`chlo.${name} ${x.name} : ${x.typeText} -> ${x.typeText}`, [x], x.type, x.shape);
  };

const binary =
  (name: string): Binary =>
  (a, b) => {
    checkSameType(name, a, b);
    return a.graph.emit(`stablehlo.${name} ${a.name}, ${b.name} : ${a.typeText}`, [a, b], a.type, a.shape);
  };

export const abs = unary('abs');
export const negate = unary('negate');
export const not = unary('not');
export const sign = unary('sign');
export const exp = floatUnary('exponential');
export const expm1 = floatUnary('exponential_minus_one');
export const log = floatUnary('log');
export const log1p = floatUnary('log_plus_one');
export const logistic = floatUnary('logistic');
export const sqrt = floatUnary('sqrt');
export const rsqrt = floatUnary('rsqrt');
export const sine = floatUnary('sine');
export const cosine = floatUnary('cosine');
export const tan = floatUnary('tan');
export const tanh = floatUnary('tanh');
export const floor = floatUnary('floor');
export const ceil = floatUnary('ceil');
export const roundNearestEven = floatUnary('round_nearest_even');

export const acos = chloUnary('acos');
export const acosh = chloUnary('acosh');
export const asin = chloUnary('asin');
export const asinh = chloUnary('asinh');
export const atan = chloUnary('atan');
export const atanh = chloUnary('atanh');
export const cosh = chloUnary('cosh');
export const sinh = chloUnary('sinh');
export const erf = chloUnary('erf');
export const erfc = chloUnary('erfc');
export const erfInv = chloUnary('erf_inv');

export const add = binary('add');
export const subtract = binary('subtract');
export const multiply = binary('multiply');
export const divide = binary('divide');
export const remainder = binary('remainder');
export const maximum = binary('maximum');
export const minimum = binary('minimum');
export const power = binary('power');
export const atan2 = binary('atan2');
export const and = binary('and');
export const or = binary('or');
export const xor = binary('xor');
export const shiftLeft = binary('shift_left');
export const shiftRightLogical = binary('shift_right_logical');

/** i1. */
export function isFinite(x: Value): Value {
  check(isFloat(x.type), 'is_finite', () => `wants floats, got ${describeType(x)}`);
  const result = { type: 'i1', shape: x.shape } as const;
  return x.graph.emit(
    `stablehlo.is_finite ${x.name} : (${x.typeText}) -> ${printType(result)}`,
    [x],
    'i1',
    x.shape,
  );
}

export type Direction = 'EQ' | 'NE' | 'LT' | 'LE' | 'GT' | 'GE';

/** i1. Floats compare as IEEE says: NaN is unequal to everything. */
export function compare(direction: Direction, a: Value, b: Value): Value {
  checkSameType('compare', a, b);
  const kind = isFloat(a.type) ? 'FLOAT' : isUnsigned(a.type) || a.type === 'i1' ? 'UNSIGNED' : 'SIGNED';
  const result = printType({ type: 'i1', shape: a.shape });
  const text = `stablehlo.compare ${direction}, ${a.name}, ${b.name}, ${kind} : (${a.typeText}, ${b.typeText}) -> ${result}`;
  return a.graph.emit(text, [a, b], 'i1', a.shape);
}

/** `condition` is i1 of the same shape, or a scalar. */
export function select(condition: Value, onTrue: Value, onFalse: Value): Value {
  checkSameType('select', onTrue, onFalse);
  check(
    condition.type === 'i1' && (condition.shape.length === 0 || sameShape(condition.shape, onTrue.shape)),
    'select',
    () => `condition ${describeType(condition)} for ${describeType(onTrue)}`,
  );
  const text = `stablehlo.select ${condition.name}, ${onTrue.name}, ${onFalse.name} : ${condition.typeText}, ${onTrue.typeText}`;
  return onTrue.graph.emit(text, [condition, onTrue, onFalse], onTrue.type, onTrue.shape);
}

/** min(max(x, low), high); the bounds are scalars or have the shape of x. */
export function clamp(low: Value, x: Value, high: Value): Value {
  check(
    low.type === x.type && high.type === x.type,
    'clamp',
    () => `types ${low.type}, ${x.type}, ${high.type} differ`,
  );
  const text = `stablehlo.clamp ${low.name}, ${x.name}, ${high.name} : (${low.typeText}, ${x.typeText}, ${high.typeText}) -> ${x.typeText}`;
  return x.graph.emit(text, [low, x, high], x.type, x.shape);
}

/** To another element type; floats to integers truncate, numbers to i1 test for non-zero. */
export function convert(x: Value, type: ElementType): Value {
  if (x.type === type) return x;
  const result = printType({ type, shape: x.shape });
  return x.graph.emit(`stablehlo.convert ${x.name} : (${x.typeText}) -> ${result}`, [x], type, x.shape);
}

/** The same bits as another element type of the same size. */
export function bitcastConvert(x: Value, type: ElementType): Value {
  if (x.type === type) return x;
  const result = printType({ type, shape: x.shape });
  return x.graph.emit(
    `stablehlo.bitcast_convert ${x.name} : (${x.typeText}) -> ${result}`,
    [x],
    type,
    x.shape,
  );
}
