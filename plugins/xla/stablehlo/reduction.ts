// Reductions: over axes, over windows, and their scattering inverse.

import { check, checkAxes } from './check';
import { scalar } from './constants';
import type { Value } from './graph';
import { describeType, isFloat, printType, type ElementType, type Shape, type TensorType } from './types';

export type Reducer = 'add' | 'multiply' | 'maximum' | 'minimum' | 'and' | 'or';

/** What a reducer starts from. */
export function identityOf(reducer: Reducer, type: ElementType): number {
  switch (reducer) {
    case 'add':
      return 0;
    case 'multiply':
      return 1;
    case 'or':
      return 0;
    case 'and':
      return type === 'i1' ? 1 : -1;
    case 'maximum':
      return isFloat(type) ? -Infinity : lowest(type);
    case 'minimum':
      return isFloat(type) ? Infinity : highest(type);
  }
}

const integerBits = (type: ElementType) => Number(type.replace(/\D/g, ''));
const lowest = (type: ElementType) =>
  type === 'i1' || type.startsWith('u') ? 0 : -(2 ** (integerBits(type) - 1));
const highest = (type: ElementType) =>
  type === 'i1' ? 1 : 2 ** (integerBits(type) - (type.startsWith('u') ? 0 : 1)) - 1;

/** `({ ^bb0(a, b): return reducer(a, b) })`. Its names can't clash: a value of the graph has a number for a name. */
export function reducerRegion(reducer: Reducer, type: ElementType): string {
  const t = printType({ type, shape: [] });
  return `({\n^bb0(%lhs: ${t}, %rhs: ${t}):\n%both = stablehlo.${reducer} %lhs, %rhs : ${t}\nstablehlo.return %both : ${t}\n})`;
}

/** Reduces over `axes`, which vanish from the shape. */
export function reduce(reducer: Reducer, x: Value, axes: readonly number[]): Value {
  checkAxes('reduce', axes, x.shape.length);
  if (axes.length === 0) return x;
  const init = scalar(x.graph, x.type, identityOf(reducer, x.type));
  const shape = x.shape.filter((_, i) => !axes.includes(i));
  const result = printType({ type: x.type, shape });
  const text =
    `stablehlo.reduce(${x.name} init: ${init.name}) applies stablehlo.${reducer} across dimensions = [${axes.join(', ')}] : ` +
    `(${x.typeText}, ${init.typeText}) -> ${result}`;
  return x.graph.emit(text, [x, init], x.type, shape);
}

/**
 * Reduces several operands of one shape together. `body` gets the accumulators and then the elements, and returns
 * the new accumulators.
 */
export function reduceMany(
  operands: readonly Value[],
  inits: readonly Value[],
  axes: readonly number[],
  body: (...args: Value[]) => readonly Value[],
): readonly Value[] {
  const [first] = operands as [Value];
  checkAxes('reduce', axes, first.shape.length);
  const shape = first.shape.filter((_, i) => !axes.includes(i));
  const scalars: TensorType[] = operands.map(({ type }) => ({ type, shape: [] }));
  const region = first.graph.region([...scalars, ...scalars], body);
  const results = operands.map(({ type }) => ({ type, shape }));
  const all = [...operands, ...inits];
  const text =
    `"stablehlo.reduce"(${all.map((v) => v.name).join(', ')}) <{dimensions = array<i64: ${axes.join(', ')}>}> ` +
    `(${region.text}) : (${all.map((v) => v.typeText).join(', ')}) -> (${results.map(printType).join(', ')})`;
  return first.graph.emitAll(text, all, results, [region]);
}

/** A window over every dimension of the operand. */
export interface Window {
  readonly size: readonly number[];
  readonly stride?: readonly number[];
  /** [low, high] of each dimension. */
  readonly padding?: readonly (readonly [number, number])[];
  readonly dilation?: readonly number[];
  readonly baseDilation?: readonly number[];
}

const list = (values: readonly number[]) => `array<i64: ${values.join(', ')}>`;

function paddingAttribute(padding: readonly (readonly [number, number])[]): string {
  const rows = padding.map(([low, high]) => `[${low}, ${high}]`).join(', ');
  return `dense<[${rows}]> : tensor<${padding.length}x2xi64>`;
}

function windowAttributes(x: Value, window: Window): { readonly text: string; readonly shape: Shape } {
  const ones = x.shape.map(() => 1);
  const { size, stride = ones, dilation = ones, baseDilation = ones } = window;
  const padding = window.padding ?? x.shape.map(() => [0, 0] as const);
  check(
    size.length === x.shape.length,
    'reduce_window',
    () => `window [${size.join(', ')}] over ${describeType(x)}`,
  );
  const shape = x.shape.map((dim, i) => {
    const base = dim === 0 ? 0 : (dim - 1) * baseDilation[i]! + 1;
    const reach = (size[i]! - 1) * dilation[i]! + 1;
    const room = base + padding[i]![0] + padding[i]![1] - reach;
    return room < 0 ? 0 : Math.floor(room / stride[i]!) + 1;
  });
  const text =
    `<{base_dilations = ${list(baseDilation)}, padding = ${paddingAttribute(padding)}, ` +
    `window_dilations = ${list(dilation)}, window_dimensions = ${list(size)}, window_strides = ${list(stride)}}>`;
  return { text, shape };
}

export function reduceWindow(reducer: Reducer, x: Value, window: Window): Value {
  const { text: attributes, shape } = windowAttributes(x, window);
  const init = scalar(x.graph, x.type, identityOf(reducer, x.type));
  const result = printType({ type: x.type, shape });
  const text =
    `"stablehlo.reduce_window"(${x.name}, ${init.name}) ${attributes} ` +
    `${reducerRegion(reducer, x.type)} : (${x.typeText}, ${init.typeText}) -> ${result}`;
  return x.graph.emit(text, [x, init], x.type, shape);
}

/** Reduces several operands of one shape together: see `reduceMany`. */
export function reduceWindowMany(
  operands: readonly Value[],
  inits: readonly Value[],
  window: Window,
  body: (...args: Value[]) => readonly Value[],
): readonly Value[] {
  const [first] = operands as [Value];
  const { text: attributes, shape } = windowAttributes(first, window);
  const scalars: TensorType[] = operands.map(({ type }) => ({ type, shape: [] }));
  const region = first.graph.region([...scalars, ...scalars], body);
  const results = operands.map(({ type }) => ({ type, shape }));
  const all = [...operands, ...inits];
  const text =
    `"stablehlo.reduce_window"(${all.map((v) => v.name).join(', ')}) ${attributes} (${region.text}) : ` +
    `(${all.map((v) => v.typeText).join(', ')}) -> (${results.map(printType).join(', ')})`;
  return first.graph.emitAll(text, all, results, [region]);
}

/** Adds each element of `source` at the place of its window's maximum in `x`: the gradient of max pooling. */
export function selectAndScatterAdd(x: Value, source: Value, window: Window): Value {
  const { size, stride = x.shape.map(() => 1) } = window;
  const padding = window.padding ?? x.shape.map(() => [0, 0] as const);
  const zero = scalar(x.graph, x.type, 0);
  const t = printType({ type: x.type, shape: [] });
  const kind = isFloat(x.type) ? 'FLOAT' : 'SIGNED';
  const selector =
    `{\n^bb0(%lhs: ${t}, %rhs: ${t}):\n%first = stablehlo.compare GE, %lhs, %rhs, ${kind} : (${t}, ${t}) -> tensor<i1>\n` +
    `stablehlo.return %first : tensor<i1>\n}`;
  const adder = reducerRegion('add', x.type).slice(1, -1);
  const text =
    `"stablehlo.select_and_scatter"(${x.name}, ${source.name}, ${zero.name}) <{padding = ${paddingAttribute(padding)}, ` +
    `window_dimensions = ${list(size)}, window_strides = ${list(stride)}}> (${selector}, ${adder}) : ` +
    `(${x.typeText}, ${source.typeText}, ${zero.typeText}) -> ${x.typeText}`;
  return x.graph.emit(text, [x, source, zero], x.type, x.shape);
}

/**
 * Sorts along `axis`, stably, carrying the other operands along. `before` says whether the first of two keys
 * comes first.
 */
export function sort(
  operands: readonly Value[],
  axis: number,
  before: (a: Value, b: Value) => Value,
): readonly Value[] {
  const [keys] = operands as [Value];
  checkAxes('sort', [axis], keys.shape.length);
  const pairs: TensorType[] = operands.flatMap(({ type }) => [
    { type, shape: [] as Shape },
    { type, shape: [] as Shape },
  ]);
  const region = keys.graph.region(pairs, (a, b) => [before(a as Value, b as Value)]);
  const types = operands.map((v) => v.typeText).join(', ');
  const text =
    `"stablehlo.sort"(${operands.map((v) => v.name).join(', ')}) <{dimension = ${axis} : i64, is_stable = true}> ` +
    `(${region.text}) : (${types}) -> ${operands.length === 1 ? types : `(${types})`}`;
  return keys.graph.emitAll(text, operands, operands, [region]);
}
