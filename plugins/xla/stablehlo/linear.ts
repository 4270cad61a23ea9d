// Products: dot_general and convolution.

import { check, checkAxes } from './check';
import type { Value } from './graph';
import { describeType, printType, sizeOf } from './types';

export interface DotAxes {
  /** Paired axes that stay, first in the result. */
  readonly batch?: readonly [lhs: readonly number[], rhs: readonly number[]];
  /** Paired axes that are summed over. */
  readonly contract: readonly [lhs: readonly number[], rhs: readonly number[]];
}

/** The result's axes: batch, then what remains of the left operand, then of the right one. */
export function dotGeneral(a: Value, b: Value, { batch = [[], []], contract }: DotAxes): Value {
  checkAxes('dot_general', [...batch[0], ...contract[0]], a.shape.length);
  checkAxes('dot_general', [...batch[1], ...contract[1]], b.shape.length);
  const pairs = [0, 1].map((side) => [...batch[side as 0 | 1], ...contract[side as 0 | 1]]) as [
    number[],
    number[],
  ];
  check(
    a.type === b.type &&
      pairs[0].length === pairs[1].length &&
      pairs[0].every((axis, i) => a.shape[axis] === b.shape[pairs[1][i]!]),
    'dot_general',
    () =>
      `${describeType(a)} and ${describeType(b)} over axes [${pairs[0].join(', ')}] and [${pairs[1].join(', ')}]`,
  );
  const free = (value: Value, used: readonly number[]) => value.shape.filter((_, i) => !used.includes(i));
  const shape = [...batch[0].map((axis) => a.shape[axis]!), ...free(a, pairs[0]), ...free(b, pairs[1])];
  const batching =
    batch[0].length > 0 ? `batching_dims = [${batch[0].join(', ')}] x [${batch[1].join(', ')}], ` : '';
  const result = printType({ type: a.type, shape });
  const text =
    `stablehlo.dot_general ${a.name}, ${b.name}, ${batching}` +
    `contracting_dims = [${contract[0].join(', ')}] x [${contract[1].join(', ')}] : (${a.typeText}, ${b.typeText}) -> ${result}`;
  const summed = contract[0].reduce((product, axis) => product * a.shape[axis]!, 1);
  return a.graph.emit(text, [a, b], a.type, shape, 2 * sizeOf(shape) * summed);
}

/** Which axis of each array is what. `spatial` axes are in one order for all three. */
export interface ConvolutionAxes {
  readonly input: { readonly batch: number; readonly feature: number; readonly spatial: readonly number[] };
  readonly kernel: { readonly input: number; readonly output: number; readonly spatial: readonly number[] };
  readonly output: { readonly batch: number; readonly feature: number; readonly spatial: readonly number[] };
}

export interface ConvolutionWindow {
  readonly stride: readonly number[];
  readonly padding: readonly (readonly [number, number])[];
  readonly inputDilation?: readonly number[];
  readonly kernelDilation?: readonly number[];
  /** Flips the kernel: a convolution in the mathematical sense. */
  readonly reversal?: boolean;
  readonly featureGroups?: number;
  readonly batchGroups?: number;
}

export function convolution(
  input: Value,
  kernel: Value,
  axes: ConvolutionAxes,
  window: ConvolutionWindow,
): Value {
  const { stride, padding, featureGroups = 1, batchGroups = 1 } = window;
  const ones = stride.map(() => 1);
  const { inputDilation = ones, kernelDilation = ones, reversal = false } = window;
  check(
    input.type === kernel.type &&
      input.shape[axes.input.feature]! === kernel.shape[axes.kernel.input]! * featureGroups,
    'convolution',
    () => `${describeType(input)} with kernel ${describeType(kernel)}`,
  );
  const shape = new Array<number>(input.shape.length);
  shape[axes.output.batch] = input.shape[axes.input.batch]! / batchGroups;
  shape[axes.output.feature] = kernel.shape[axes.kernel.output]!;
  axes.output.spatial.forEach((axis, i) => {
    const size = input.shape[axes.input.spatial[i]!]!;
    const base = size === 0 ? 0 : (size - 1) * inputDilation[i]! + 1;
    const reach = (kernel.shape[axes.kernel.spatial[i]!]! - 1) * kernelDilation[i]! + 1;
    const room = base + padding[i]![0] + padding[i]![1] - reach;
    shape[axis] = room < 0 ? 0 : Math.floor(room / stride[i]!) + 1;
  });
  const numbers = `[${layout(axes.input, 'b', 'f')}]x[${kernelLayout(axes.kernel)}]->[${layout(axes.output, 'b', 'f')}]`;
  const pads = padding.map(([low, high]) => `[${low}, ${high}]`).join(', ');
  const result = printType({ type: input.type, shape });
  const text =
    `stablehlo.convolution(${input.name}, ${kernel.name}) dim_numbers = ${numbers}, window = {stride = [${stride.join(', ')}], ` +
    `pad = [${pads}], lhs_dilate = [${inputDilation.join(', ')}], rhs_dilate = [${kernelDilation.join(', ')}], ` +
    `reverse = [${stride.map(() => reversal).join(', ')}]} {batch_group_count = ${batchGroups} : i64, ` +
    `feature_group_count = ${featureGroups} : i64} : (${input.typeText}, ${kernel.typeText}) -> ${result}`;
  // Taps on padding count too: a little more than is computed. Those between dilated inputs don't.
  const gaps = inputDilation.reduce((product, dilation) => product * dilation, 1);
  const taps = sizeOf(kernel.shape) / kernel.shape[axes.kernel.output]! / gaps;
  return input.graph.emit(text, [input, kernel], input.type, shape, 2 * sizeOf(shape) * taps);
}

function layout(
  axes: { batch: number; feature: number; spatial: readonly number[] },
  batch: string,
  feature: string,
) {
  const names: (string | number)[] = [];
  names[axes.batch] = batch;
  names[axes.feature] = feature;
  axes.spatial.forEach((axis, i) => (names[axis] = i));
  return names.join(', ');
}

const kernelLayout = (axes: ConvolutionAxes['kernel']) =>
  layout({ batch: axes.input, feature: axes.output, spatial: axes.spatial }, 'i', 'o');
