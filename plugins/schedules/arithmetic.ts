// One formula of a schedule, two machines: plain numbers on the host, and tensors inside a trace. Both round to float32
// after each operation, so that the rate that is logged is the rate that was used.

import * as tf from '../../core/tensor';

/** The operations that schedules are made of, on values of type T. Plain numbers are constants. */
export interface Arithmetic<T> {
  constant(value: number): T;
  /** `step - n`: an exact difference of integers, then float32. */
  since(n: number): T;
  /** `then` from step `n` on, and `before` until then. */
  from(n: number, then: T | number, before: T | number): T;
  add(a: T | number, b: T | number): T;
  sub(a: T | number, b: T | number): T;
  mul(a: T | number, b: T | number): T;
  div(a: T | number, b: T | number): T;
  min(a: T | number, b: T | number): T;
  max(a: T | number, b: T | number): T;
  pow(a: T | number, b: T | number): T;
  sqrt(a: T | number): T;
  cos(a: T | number): T;
}

/** On the host, at a step. */
export function onHost(step: number): Arithmetic<number> {
  const { fround } = Math;
  const rounded = (f: (a: number, b: number) => number) => (a: number, b: number) =>
    fround(f(fround(a), fround(b)));
  return {
    constant: fround,
    since: (n) => fround(step - n),
    from: (n, then, before) => fround(step >= n ? then : before),
    add: rounded((a, b) => a + b),
    sub: rounded((a, b) => a - b),
    mul: rounded((a, b) => a * b),
    div: rounded((a, b) => a / b),
    min: rounded(Math.min),
    max: rounded(Math.max),
    pow: rounded(Math.pow),
    sqrt: (a) => fround(Math.sqrt(fround(a))),
    cos: (a) => fround(Math.cos(fround(a))),
  };
}

/** In a trace, at a step (int32 scalar). */
export function inTrace(step: tf.Tensor): Arithmetic<tf.Tensor> {
  const number = (n: number) => (Number.isInteger(n) ? tf.scalar(n, 'int32') : tf.scalar(n));
  // A fractional n (`warmup_steps: 0.1`) can't be subtracted from an integer.
  const stepLike = (n: number) => (Number.isInteger(n) ? step : tf.cast(step, 'float32'));
  return {
    constant: (value) => tf.scalar(value),
    since: (n) => tf.cast(tf.sub(stepLike(n), number(n)), 'float32'),
    from: (n, then, before) => tf.where(tf.greaterEqual(stepLike(n), number(n)), then, before),
    add: (a, b) => tf.add(a, b),
    sub: (a, b) => tf.sub(a, b),
    mul: (a, b) => tf.mul(a, b),
    div: (a, b) => tf.div(a, b),
    min: (a, b) => tf.minimum(a, b),
    max: (a, b) => tf.maximum(a, b),
    pow: (a, b) => tf.pow(a, b),
    sqrt: (a) => tf.sqrt(a),
    cos: (a) => tf.cos(a),
  };
}
