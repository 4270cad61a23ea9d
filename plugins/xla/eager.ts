// Kernels outside of a trace: each is a tiny program, compiled once for its attributes and the types of its inputs.

import type { LoadedExecutable } from './pjrt';
import { flagsFor } from './jit/compiler';
import { asWeak, type Lowering } from './kernels';
import { type ArrayType, type DeviceArray, type Devices } from './mesh';
import { Graph, printModule, type Value } from './stablehlo';

interface EagerProgram {
  readonly executable: LoadedExecutable;
  readonly outputs: readonly ArrayType[];
}

export interface EagerInput {
  readonly array: DeviceArray;
  /** A plain number, which takes the type of what it meets. */
  readonly weak: boolean;
}

export class EagerPrograms {
  private readonly programs = new Map<string, EagerProgram>();

  constructor(private readonly devices: Devices) {}

  run(
    kernel: string,
    lowering: Lowering,
    inputs: Readonly<Record<string, EagerInput>>,
    attrs: unknown,
  ): DeviceArray[] {
    const names = Object.keys(inputs);
    const types = names.map((name) => {
      const { array, weak } = inputs[name]!;
      return `${name}:${array.arrayType.id}${weak ? '*' : ''}`;
    });
    const key = `${kernel}(${types.join()})${JSON.stringify(attrs)}`;
    let program = this.programs.get(key);
    if (!program) this.programs.set(key, (program = this.compile(kernel, lowering, inputs, attrs)));
    const args = this.devices.list.map((_, device) =>
      names.map((name) => inputs[name]!.array.buffers[device]!),
    );
    const outputs = program.executable.execute(args);
    return program.outputs.map((arrayType, i) => ({ arrayType, buffers: outputs.map((list) => list[i]!) }));
  }

  private compile(
    kernel: string,
    lowering: Lowering,
    inputs: Readonly<Record<string, EagerInput>>,
    attrs: unknown,
  ): EagerProgram {
    const { client, mesh } = this.devices;
    const partitioned = mesh.size > 1;
    const graph = new Graph(mesh.constraintAxes);
    const entries = Object.entries(inputs).map(([name, { array, weak }]) => {
      const value = graph.arg(array.arrayType.type, array.arrayType.shape);
      return [name, weak ? asWeak(value) : value] as const;
    });
    const results = [lowering(Object.fromEntries(entries), attrs, graph)].flat() as Value[];
    const text = printModule(graph, {
      name: kernel.replace(/\W/g, '_'),
      results,
      ...(partitioned && {
        mesh: mesh.axes,
        argShardings: Object.values(inputs).map(({ array }) => array.arrayType.sharding.axes),
        resultShardings: [],
      }),
    });
    const xlaFlags = flagsFor(client.platformName);
    const executable = client.compile(text, { ...this.devices.spread, xlaFlags });
    const outputs = results.map(({ type, shape }) => this.devices.arrayType(type, shape, mesh.replicated));
    return { executable, outputs };
  }

  dispose(): void {
    for (const { executable } of this.programs.values()) executable.dispose();
    this.programs.clear();
  }
}
