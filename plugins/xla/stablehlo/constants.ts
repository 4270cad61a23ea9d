// Operations without operands.

import { check, checkAxes } from './check';
import type { Graph, Value } from './graph';
import { type Literal, printDense, printElement } from './literal';
import { describeType, printType, type ElementType, type Shape } from './types';

/** A constant of one value everywhere. */
export function splat(graph: Graph, type: ElementType, shape: Shape, value: number): Value {
  // An empty tensor has no element to print.
  const element = shape.includes(0) ? '' : printElement(type, value);
  return graph.emit(`stablehlo.constant dense<${element}> : ${printType({ type, shape })}`, [], type, shape);
}

export const scalar = (graph: Graph, type: ElementType, value: number): Value =>
  splat(graph, type, [], value);

/** A constant tensor, row-major. */
export function dense(graph: Graph, type: ElementType, shape: Shape, values: Literal): Value {
  const text = printDense(type, shape, values);
  return graph.emit(`stablehlo.constant dense<${text}> : ${printType({ type, shape })}`, [], type, shape);
}

/** A constant like `value` in shape and type. */
export const splatLike = (value: Value, element: number): Value =>
  splat(value.graph, value.type, value.shape, element);

/** 0, 1, 2, ... along `axis`. */
export function iota(graph: Graph, type: ElementType, shape: Shape, axis: number): Value {
  checkAxes('iota', [axis], shape.length);
  check(type !== 'i1', 'iota', () => `no ${describeType({ type, shape })}`);
  return graph.emit(`stablehlo.iota dim = ${axis} : ${printType({ type, shape })}`, [], type, shape);
}
