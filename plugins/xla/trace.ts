// One trace: the graph that kernels emit into, and the concrete tensors that the traced function met.

import { engine, type Tensor } from '@tensorflow/tfjs-core';
import { errors } from './errors';
import { asWeak } from './kernels';
import type { DeviceMesh } from './mesh';
import type { DataRecord } from './record';
import { Recorders } from './recorder';
import * as hlo from './stablehlo';
import type { Value } from './stablehlo';

/** Constants of up to this many elements are part of the program; larger ones become hidden arguments. */
const constantLimit = 1024;

export class Trace {
  readonly graph: hlo.Graph;
  /** Concrete tensors that became hidden arguments, in their order. Each is held until whoever has the trace lets go. */
  readonly captures: DataRecord[] = [];
  /** What stands for tensors while a part of the function is computed again, the innermost last. */
  readonly substitutes: ReadonlyMap<DataRecord, Value>[] = [];
  /** Of the block that is being traced. */
  recorders = new Recorders();
  private readonly captured = new Map<DataRecord, Value>();
  private readonly held: Tensor[] = [];
  /** tfjs's scopes from here on are the function's. */
  private readonly firstScope = engine().state.scopeStack.length;
  private isOpen = true;

  constructor(
    /** Of the function, for messages. */
    readonly name: string,
    mesh: DeviceMesh,
    /** Computes shapes alone, so tensors of an outer trace may come in. */
    private readonly abstract = false,
  ) {
    this.graph = new hlo.Graph(mesh.constraintAxes);
  }

  close(): void {
    this.isOpen = false;
    for (const tensor of this.held) if (!tensor.isDisposed) tensor.dispose();
  }

  /** Keeps a tensor that the function made, which its scope would dispose of, until the trace is closed. */
  hold(tensor: Tensor): void {
    const scope = engine().state.scopeStack.findIndex(({ id }) => id === tensor.scopeId);
    if (scope < this.firstScope || tensor.kept) return;
    engine().keep(tensor);
    this.held.push(tensor);
  }

  get open(): boolean {
    return this.isOpen;
  }

  /** The graph's value of a tensor. */
  valueOf(record: DataRecord): Value {
    for (let i = this.substitutes.length - 1; i >= 0; i--) {
      const value = this.substitutes[i]!.get(record);
      if (value) return value;
    }
    const { state } = record;
    switch (state.kind) {
      case 'traced':
        if (state.trace === this) return state.value;
        if (this.abstract && state.trace.open) return this.capture(record);
        throw errors.escaped({ name: state.trace.name, shape: record.shape });
      case 'host':
        return this.constant(record, state.values as hlo.Literal) ?? this.capture(record);
      case 'device':
      case 'absent':
        return this.capture(record);
      case 'gone':
        throw state.error(record.shape);
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
