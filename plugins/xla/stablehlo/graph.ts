// A function's body under construction: operations in order, each held as the text that will be printed. An operation's
// text (its name, operands, attributes and types) says all that it computes, so equal texts are equal values: the text is
// the key for finding common subexpressions. What nobody uses isn't printed.

import type { AxisNames, DimensionNames } from './sharding';
import { printType, type ElementType, type Shape, type TensorType } from './types';

/** The result of an operation, or an argument. */
export interface Value extends TensorType {
  readonly graph: Graph;
  /** As printed: `%12`, `%12#1`, `%arg3`. */
  readonly name: string;
  /** Index of the operation that makes it; -1 for an argument of a function or a region. */
  readonly operation: number;
  /** As printed: `tensor<2x3xf32>`. */
  readonly typeText: string;
}

interface Operation {
  /** With its results: `%12 = stablehlo.add %3, %4 : tensor<f32>`. */
  readonly text: string;
  /** Operations whose results it uses, inside its regions too. */
  readonly uses: readonly number[];
  /** Of a matrix product or a convolution, and of those in its regions. */
  readonly flops: number;
}

/** Operations of one block: those of the function, or of a region while it is traced. */
interface Block {
  /** Of the region; none for the function's own block. */
  readonly args: Value[];
  readonly operations: number[];
  readonly known: Map<string, readonly Value[]>;
}

/** A region that an operation holds: printed, with the outer operations that it uses. */
export interface Region {
  readonly text: string;
  readonly uses: readonly number[];
  readonly results: readonly Value[];
  /** Of the operations in it, for one run. */
  readonly flops: number;
}

export class Graph {
  readonly args: Value[] = [];
  private readonly operations: Operation[] = [];
  private readonly blocks: Block[] = [{ args: [], operations: [], known: new Map() }];
  private regionArgs = 0;

  /** `axesOf`: where the module will have a mesh, its axes by the names in a sharding constraint. */
  constructor(readonly axesOf?: (names: DimensionNames) => AxisNames) {}

  /** Adds an argument of the function. */
  arg(type: ElementType, shape: Shape): Value {
    const value = this.value(`%arg${this.args.length}`, -1, { type, shape });
    this.args.push(value);
    return value;
  }

  /** An operation with one result. `text` is all that follows the equals sign. */
  emit(text: string, operands: readonly Value[], type: ElementType, shape: Shape, flops = 0): Value {
    return this.emitAll(text, operands, [{ type, shape }], [], flops)[0] as Value;
  }

  /** An operation with any number of results, and perhaps regions, each of which runs once unless `flops` says otherwise. */
  emitAll(
    text: string,
    operands: readonly Value[],
    results: readonly TensorType[],
    regions: readonly Region[] = [],
    flops = regions.reduce((sum, region) => sum + region.flops, 0),
  ): readonly Value[] {
    for (const block of this.blocks) {
      const known = block.known.get(text);
      if (known) return known;
    }
    const index = this.operations.length;
    const name = `%${index}`;
    const values =
      results.length === 1
        ? [this.value(name, index, results[0] as TensorType)]
        : results.map((result, i) => this.value(`${name}#${i}`, index, result));
    const uses = operands.map((operand) => operand.operation);
    for (const region of regions) uses.push(...region.uses);
    const left = results.length === 1 ? name : `${name}:${results.length}`;
    this.operations.push({ text: `${left} = ${text}`, uses, flops });
    const block = this.blocks[this.blocks.length - 1] as Block;
    block.operations.push(index);
    block.known.set(text, values);
    return values;
  }

  /** Traces the body of a region: `body` gets the region's arguments and returns what the region returns. */
  region(args: readonly TensorType[], body: (...args: Value[]) => readonly Value[]): Region {
    const block: Block = { args: [], operations: [], known: new Map() };
    this.blocks.push(block);
    let results: readonly Value[];
    try {
      results = body(...args.map((arg) => this.regionArg(arg)));
    } finally {
      this.blocks.pop();
    }
    const head = block.args.map((value) => `${value.name}: ${value.typeText}`).join(', ');
    const own = new Set(block.operations);
    const live = this.live(results);
    const kept = block.operations.filter((index) => live.has(index));
    const lines = kept.map((index) => this.text(index));
    const text = `{\n${head ? `^bb0(${head}):\n` : ''}${lines.join('')}${returnText('stablehlo.return', results)}}`;
    return { text, results, uses: [...live].filter((index) => !own.has(index)), flops: this.sumFlops(kept) };
  }

  /** One more argument of the region that is being traced, of a type that its body has just found out. */
  regionArg(type: TensorType): Value {
    const value = this.value(`%in${this.regionArgs++}`, -1, type);
    (this.blocks[this.blocks.length - 1] as Block).args.push(value);
    return value;
  }

  /** The printed operations that `results` need, and the return. */
  body(results: readonly Value[]): string {
    const live = this.live(results);
    const block = this.blocks[0] as Block;
    const lines: string[] = [];
    for (const index of block.operations) if (live.has(index)) lines.push(this.text(index));
    return lines.join('') + returnText('return', results);
  }

  /** Of the matrix products and convolutions that `results` need. */
  flops(results: readonly Value[]): number {
    const live = this.live(results);
    return this.sumFlops((this.blocks[0] as Block).operations.filter((index) => live.has(index)));
  }

  private sumFlops(operations: readonly number[]): number {
    return operations.reduce((sum, index) => sum + (this.operations[index] as Operation).flops, 0);
  }

  private text(index: number): string {
    return `${(this.operations[index] as Operation).text}\n`;
  }

  private live(results: readonly Value[]): Set<number> {
    const live = new Set<number>();
    const pending = results.map((value) => value.operation);
    while (pending.length > 0) {
      const index = pending.pop() as number;
      if (index < 0 || live.has(index)) continue;
      live.add(index);
      for (const use of (this.operations[index] as Operation).uses) if (!live.has(use)) pending.push(use);
    }
    return live;
  }

  private value(name: string, operation: number, { type, shape }: TensorType): Value {
    return { graph: this, name, operation, type, shape, typeText: printType({ type, shape }) };
  }
}

function returnText(op: string, results: readonly Value[]): string {
  if (results.length === 0) return `${op}\n`;
  const names = results.map((value) => value.name).join(', ');
  return `${op} ${names} : ${results.map((value) => value.typeText).join(', ')}\n`;
}
