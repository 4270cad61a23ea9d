// What kernels computed in a forward pass, kept for the backward pass: noted the first time the function runs, and put in
// the place of the same kernels' results when it runs again. What they would have computed is then used by nobody.

import type { KernelCall, Saves } from '../../core/tensor/regions';
import type { Value } from './stablehlo';

interface Recorder {
  readonly saves: Saves;
  readonly values: Value[];
  /** The next of the values, while they are played back; undefined while they are noted. */
  next?: number;
}

/** Functions that are being recorded or replayed, one within the other. */
export class Recorders {
  private readonly stack: Recorder[] = [];

  /** Runs a function; the second result is what it computed that `saves` picks. */
  record<R>(saves: Saves, run: () => R): readonly [R, readonly Value[]] {
    const recorder: Recorder = { saves, values: [] };
    return [this.within(recorder, run), recorder.values];
  }

  replay<R>(saves: Saves, values: readonly Value[], run: () => R): R {
    return this.within({ saves, values: [...values], next: 0 }, run);
  }

  private within<R>(recorder: Recorder, run: () => R): R {
    this.stack.push(recorder);
    try {
      return run();
    } finally {
      this.stack.pop();
    }
  }

  /** The results of a kernel, or what they are replaced by. */
  pass(call: KernelCall, results: readonly Value[]): readonly Value[] {
    let values = results;
    // What an inner function mustn't keep, an outer one doesn't keep for it.
    let first = this.stack.length;
    while (first > 0 && this.stack[first - 1]!.saves(call)) first--;
    for (const recorder of this.stack.slice(first)) {
      if (recorder.next === undefined) {
        recorder.values.push(...values);
        continue;
      }
      values = recorder.values.slice(recorder.next, (recorder.next += values.length));
      const same =
        values.length === results.length && values.every((v, i) => v.typeText === results[i]!.typeText);
      if (!same) throw new Error(`${call.kernel}: a body did something else when it ran again`);
    }
    return values;
  }
}
