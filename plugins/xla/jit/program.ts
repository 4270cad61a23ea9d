// One traced and compiled program: its trace, its module, and how it is called.

import { type Tensor } from '@tensorflow/tfjs-core';
import type { Compiled, ProgramMemory } from '../../../core/runtime';
import { unflatten, type Tree, type TreeDef } from '../../../core/tree';
import { type Donated, donatedTo, type XlaBackend } from '../backend';
import { errors } from '../errors';
import { type ArrayType, type DeviceArray, disposeArray } from '../mesh';
import { collectivesOf, readHlo } from '../hlo';
import type { DeviceBuffer, Executable } from '../pjrt';
import type { DataRecord } from '../record';
import type { CompiledModule } from './compiler';

export interface TracedProgram {
  readonly name: string;
  readonly text: string;
  readonly outputs: readonly ArrayType[];
  readonly outputTree: TreeDef;
  /** Of each argument, whether its memory is taken. */
  readonly donated: readonly boolean[];
  /** Concrete tensors that the function met: hidden arguments after the others, held until the program is disposed. */
  readonly captures: readonly DataRecord[];
  readonly traceSeconds: number;
  /** Of its matrix products and convolutions, over all devices. */
  readonly flops: number;
}

/** How many calls there were: each marks the data that it gets with its number. */
let calls = 0;

export class Program {
  private readonly anyDonated: boolean;
  private readonly gone: Donated;

  constructor(
    private readonly backend: XlaBackend,
    readonly traced: TracedProgram,
    private readonly compiled: CompiledModule,
  ) {
    this.anyDonated = traced.donated.includes(true);
    this.gone = donatedTo(traced.name);
  }

  /**
   * Starts the program.
   *
   * @param records the arguments' data, one for each leaf; donated ones are gone afterwards.
   * @param leafName names a leaf in errors.
   */
  run(
    leaves: readonly Tensor[],
    records: readonly DataRecord[],
    leafName: (index: number) => string,
  ): Tree<Tensor> {
    const { backend, traced } = this;
    const { loaded } = this.compiled;
    if (!loaded) throw errors.devicesNotHere({ topology: backend.devices.description });
    if (this.anyDonated) this.refuseSharedMemory(records, leafName);
    const arrays: DeviceArray[] = new Array<DeviceArray>(records.length + traced.captures.length);
    for (let i = 0; i < records.length; i++) arrays[i] = backend.arrayOf(records[i]!);
    for (let i = 0; i < traced.captures.length; i++)
      arrays[records.length + i] = backend.arrayOf(traced.captures[i]!);
    const devices = backend.devices.list.length;
    const args: DeviceBuffer[][] = [];
    for (let device = 0; device < devices; device++) args.push(arrays.map(({ buffers }) => buffers[device]!));
    const results = loaded.execute(args);
    backend.dispatched(results[0]?.[0]);
    if (this.anyDonated) this.consume(leaves, records, arrays, results[0]?.[0]);
    const tensors = traced.outputs.map((arrayType, i) => {
      const buffers = devices === 1 ? [results[0]![i]!] : results.map((list) => list[i]!);
      return backend.arrayTensor({ arrayType, buffers });
    });
    return unflatten(traced.outputTree, tensors);
  }

  /** Memory that two arguments share, one of them donated, would be read after it was overwritten. */
  private refuseSharedMemory(records: readonly DataRecord[], leafName: (index: number) => string): void {
    const { donated, captures, name } = this.traced;
    const call = ++calls;
    const refuse = (record: DataRecord, leaf: string, isDonated: boolean) => {
      const sharing = records.flatMap((other, i) => (other === record ? [i] : []));
      if (!isDonated && !sharing.some((i) => donated[i])) return;
      throw errors.donatedTwice({ name, leaf, first: leafName(sharing[0]!) });
    };
    for (let i = 0; i < records.length; i++) {
      const record = records[i]!;
      if (record.call === call) refuse(record, leafName(i), donated[i]!);
      record.call = call;
    }
    for (const record of captures) {
      if (record.call === call) refuse(record, 'a tensor that the function refers to', false);
    }
  }

  private consume(
    leaves: readonly Tensor[],
    records: readonly DataRecord[],
    arrays: readonly DeviceArray[],
    output: DeviceBuffer | undefined,
  ): void {
    const { donated } = this.traced;
    const taken: DeviceArray[] = [];
    for (let i = 0; i < records.length; i++) {
      if (!donated[i]) continue;
      this.backend.donate(leaves[i]!, records[i]!, this.gone);
      taken.push(arrays[i]!);
    }
    // Destroying a donated buffer waits for the program that took its memory: the host must not stand still for that.
    const release = () => taken.forEach(disposeArray);
    if (output) output.ready().then(release, release);
    else release();
  }

  describe(): Compiled {
    const { traced, compiled } = this;
    const facts = {
      text: traced.text,
      traceSeconds: traced.traceSeconds,
      compileSeconds: compiled.seconds,
      cached: compiled.cached,
    };
    const { executable } = compiled;
    return {
      ...facts,
      flops: traced.flops,
      deviceFlops: ifKnown(() => numberOf(executable.costAnalysis().flops)),
      memory: ifKnown(() => memoryOf(executable)),
      collectives: ifKnown(() => {
        const { format, code } = executable.optimizedProgram();
        const module = readHlo(format, code);
        return module && collectivesOf(module);
      }),
    };
  }

  dispose(): void {
    (this.compiled.loaded ?? this.compiled.executable).dispose();
    for (const record of this.traced.captures) this.backend.release(record);
  }
}

const numberOf = (value: unknown) => (typeof value === 'number' ? value : undefined);

function memoryOf(executable: Executable): ProgramMemory {
  const { generatedCode: code, peak, ...sizes } = executable.memoryStats();
  const { arguments: args, outputs, aliased, temporaries } = sizes;
  return { ...sizes, code, peak: Math.max(peak, args + outputs - aliased + temporaries) };
}

/** Platforms don't have to tell. */
function ifKnown<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}
