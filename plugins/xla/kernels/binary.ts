// Kernels of two operands, on each element, with broadcasting.

import * as hlo from '../stablehlo';
import type { Value } from '../stablehlo';
import { float } from './promotion';
import { broadcast, broadcastShapes } from './shapes';
import { lower, type LoweringTable } from './types';

const binary = (op: (a: Value, b: Value) => Value) =>
  lower<'a' | 'b'>(({ a, b }) => {
    const [x, y] = broadcast(a, b) as [Value, Value];
    return op(x, y);
  });

const compare = (direction: hlo.Direction) => binary((a, b) => hlo.compare(direction, a, b));

const logical = (op: (a: Value, b: Value) => Value) =>
  lower<'a' | 'b'>(({ a, b }) => {
    const [x, y] = broadcast(hlo.convert(a, 'i1'), hlo.convert(b, 'i1')) as [Value, Value];
    return op(x, y);
  });

/** The remainder with the sign of the divisor, as Python has it. */
function modulo(a: Value, b: Value): Value {
  const zero = hlo.splatLike(a, 0);
  const remainder = hlo.remainder(a, b);
  const wrongSign = hlo.xor(hlo.compare('LT', remainder, zero), hlo.compare('LT', b, zero));
  const fix = hlo.and(wrongSign, hlo.compare('NE', remainder, zero));
  return hlo.select(fix, hlo.add(remainder, b), remainder);
}

/** Rounded towards minus infinity; i32, whatever the operands. */
function floorDivide(a: Value, b: Value): Value {
  if (hlo.isFloat(a.type)) return hlo.convert(hlo.floor(hlo.divide(a, b)), 'i32');
  return hlo.divide(hlo.subtract(a, modulo(a, b)), b);
}

export const binaryOps = {
  Add: binary((a, b) => (a.type === 'i1' ? hlo.or(a, b) : hlo.add(a, b))),
  Atan2: lower<'a' | 'b'>(({ a, b }) => {
    const [y, x] = broadcast(float(a), float(b)) as [Value, Value];
    return hlo.atan2(y, x);
  }),
  BitwiseAnd: binary(hlo.and),
  FloorDiv: binary(floorDivide),
  Maximum: binary(hlo.maximum),
  Minimum: binary(hlo.minimum),
  Mod: binary(modulo),
  Multiply: binary((a, b) => (a.type === 'i1' ? hlo.and(a, b) : hlo.multiply(a, b))),
  Pow: binary(hlo.power),
  Prelu: lower<'x' | 'alpha'>(({ x, alpha }) => {
    const [a, b] = broadcast(x, alpha) as [Value, Value];
    return hlo.select(hlo.compare('GE', a, hlo.splatLike(a, 0)), a, hlo.multiply(a, b));
  }),
  RealDiv: binary(hlo.divide),
  SquaredDifference: binary((a, b) => {
    const difference = hlo.subtract(a, b);
    return hlo.multiply(difference, difference);
  }),
  Sub: binary(hlo.subtract),

  Equal: compare('EQ'),
  Greater: compare('GT'),
  GreaterEqual: compare('GE'),
  Less: compare('LT'),
  LessEqual: compare('LE'),
  NotEqual: compare('NE'),

  LogicalAnd: logical(hlo.and),
  LogicalOr: logical(hlo.or),
  LogicalXor: logical(hlo.xor),

  /** Shapes as tensors: the broadcast shape. */
  BroadcastArgs: lower<'s0' | 's1'>(({ s0, s1 }, _attrs, graph) => {
    const rank = Math.max(s0.shape[0]!, s1.shape[0]!);
    const one = hlo.scalar(graph, s0.type, 1);
    const [a, b] = [s0, s1].map((s) => hlo.pad(s, one, [rank - s.shape[0]!], [0])) as [Value, Value];
    return hlo.select(hlo.compare('EQ', a, hlo.splatLike(a, 1)), b, a);
  }),

  /** A condition of rank 1 chooses whole rows, as tfjs has it. */
  Select: lower<'condition' | 't' | 'e'>(({ condition, t, e }) => {
    const [a, b] = broadcast(t, e) as [Value, Value];
    const rows = condition.shape.length === 1 && a.shape.length > 1 && condition.shape[0] === a.shape[0];
    const shape = rows ? a.shape : broadcastShapes(condition.shape, a.shape);
    const i1 = hlo.convert(condition, 'i1');
    const where = rows ? hlo.broadcastInDim(i1, shape, [0]) : hlo.broadcastTo(i1, shape);
    return hlo.select(where, hlo.broadcastTo(a, shape), hlo.broadcastTo(b, shape));
  }),
} satisfies LoweringTable;
