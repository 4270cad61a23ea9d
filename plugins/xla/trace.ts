// One trace: the graph that kernels emit into, and the concrete tensors that the traced function met.

import { errors } from './errors';
import { asWeak } from './kernels';
import type { DataRecord } from './record';
import * as hlo from './stablehlo';
import type { Value } from './stablehlo';

/** Constants of up to this many elements are part of the program; larger ones become hidden arguments. */
const constantLimit = 1024;

export class Trace {
  readonly graph: hlo.Graph;
  /** Concrete tensors that became hidden arguments, in their order. Each is held until whoever has the trace lets go. */
  readonly captures: DataRecord[] = [];
  private readonly captured = new Map<DataRecord, Value>();
  private isOpen = true;

  constructor(
    /** Of the function, for messages. */
    readonly name: string,
    partitioned: boolean,
    /** Computes shapes alone, so tensors of an outer trace may come in. */
    private readonly abstract = false,
  ) {
    this.graph = new hlo.Graph(partitioned);
  }

  close(): void {
    this.isOpen = false;
  }

  get open(): boolean {
    return this.isOpen;
  }

  /** The graph's value of a tensor. */
  valueOf(record: DataRecord): Value {
    const { state } = record;
    switch (state.kind) {
      case 'traced':
        if (state.trace === this) return state.value;
        if (this.abstract && state.trace.open) return this.capture(record);
        throw errors.escaped({ name: state.trace.name, shape: record.shape });
      case 'host':
        return this.constant(record, state.values as hlo.Literal) ?? this.capture(record);
      case 'device':
        return this.capture(record);
      case 'gone':
        throw state.error();
    }
  }

  private constant({ shape, type }: DataRecord, values: hlo.Literal): Value | undefined {
    const splat = hlo.splatOf(values);
    if (splat !== undefined) {
      const value = hlo.splat(this.graph, type, shape, splat);
      return shape.length === 0 && hlo.isFloat(type) ? asWeak(value) : value;
    }
    return values.length <= constantLimit ? hlo.dense(this.graph, type, shape, values) : undefined;
  }

  private capture(record: DataRecord): Value {
    let value = this.captured.get(record);
    if (!value) {
      this.captured.set(record, (value = this.graph.arg(record.type, record.shape)));
      this.captures.push(record);
      // The function may dispose of its tensor at once; the program needs the data for as long as it lives.
      record.refs++;
    }
    return value;
  }
}
