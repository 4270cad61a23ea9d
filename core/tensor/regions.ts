// What a backend that builds programs offers to control flow: loops and branches whose bodies are traced once, and
// forward passes that are computed again instead of kept. Eager backends have none of it and run plain JavaScript loops.

import { engine, type Tensor } from '@tensorflow/tfjs-core';

/** A kernel as policies of rematerialisation see it. */
export interface KernelCall {
  /** As tfjs names it; `Region` for a loop, a branch or a rematerialised function as a whole. */
  readonly kernel: string;
  readonly inputs: Readonly<Record<string, { readonly shape: readonly number[] }>>;
  readonly attrs: unknown;
}

/** Whether the backward pass may keep the results of a kernel. */
export type Saves = (call: KernelCall) => boolean;

export interface ScanLoop {
  readonly carry: readonly Tensor[];
  /** With a leading axis of `length`. */
  readonly xs: readonly Tensor[];
  readonly length: number;
  /** From the last step to the first. */
  readonly reverse: boolean;
  readonly body: (carry: Tensor[], xs: Tensor[]) => ScanStep;
}

export interface ScanStep {
  readonly carry: readonly Tensor[];
  readonly ys: readonly Tensor[];
}

/** Of a program under construction. Nothing here is on the gradient tape; control.ts and remat.ts put it there. */
export interface Regions {
  /** The body's last carry, and its ys stacked in the order of xs. The body may use outer tensors. */
  scan(loop: ScanLoop): ScanStep;
  whileLoop(
    carry: readonly Tensor[],
    condition: (carry: Tensor[]) => Tensor,
    body: (carry: Tensor[]) => readonly Tensor[],
  ): Tensor[];
  /** Runs one of the two, whose results have the same types. */
  branch(condition: Tensor, whenTrue: () => readonly Tensor[], whenFalse: () => readonly Tensor[]): Tensor[];

  /** Runs a function and notes the results of kernels that `saves` picks. */
  record(
    saves: Saves,
    run: () => readonly Tensor[],
  ): { readonly outputs: Tensor[]; readonly saved: Tensor[] };
  /** Runs the same function again with what was noted in the place of what those kernels compute. */
  replay<R>(saves: Saves, saved: readonly Tensor[], run: () => R): R;
  /** Runs a function that sees these tensors behind an optimization barrier: nothing of it is shared with what was. */
  fenced<R>(tensors: readonly Tensor[], run: () => R): R;
  /** Keeps tensors that the program made until it is complete: the backward pass needs them after their scope. */
  hold(tensors: readonly Tensor[]): void;
}

/** A tfjs backend that may be building a program. */
export interface RegionBackend {
  readonly regions: Regions | undefined;
}

/** Of the program that is under construction; undefined where kernels run at once. */
export function currentRegions(): Regions | undefined {
  return (engine().backend as Partial<RegionBackend>).regions;
}
