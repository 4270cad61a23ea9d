// One traced and compiled program: its trace, its module, and how it is called.

import { engine, type Tensor } from '@tensorflow/tfjs-core';
import type { Compiled, ProgramMemory } from '../../../core/runtime';
import { unflatten, type Tree, type TreeDef } from '../../../core/tree';
import { type Donated, donatedTo, type XlaBackend } from '../backend';
import { errors } from '../errors';
import { type ArrayType, type DeviceArray, disposeArray } from '../mesh';
import { collectivesOf, readHlo } from '../hlo';
import type { BufferList, DeviceBuffer, Executable } from '../pjrt';
import type { DataRecord } from '../record';
import { Carried, type CarriedPart } from './carried';
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
  /** What the next call is likely to take back whole. */
  readonly carried: CarriedPart | undefined;
  readonly traceSeconds: number;
  /** Of its matrix products and convolutions, over all devices. */
  readonly flops: number;
}

/** The arguments of a call, leaf by leaf. */
export interface GivenArguments {
  readonly leaves: readonly Tensor[];
  /** The data of each. */
  readonly records: readonly DataRecord[];
  /** A whole donated argument whose tensors were never made. */
  readonly state?: GivenState;
  /** Names a leaf in errors. */
  readonly leafName: (index: number) => string;
}

interface GivenState {
  readonly carried: Carried;
  /** The first of its arrays among the arguments'. */
  readonly at: number;
}

/** Where a leaf stands among the arguments, from where it stands among those that were given one by one. */
export const placeOf = (state: GivenState | undefined) => (i: number) =>
  state && i >= state.at ? i + state.carried.part.types.length : i;

const end = ({ first, types }: CarriedPart) => first + types.length;

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

  /** Starts the program. Donated arguments are gone afterwards. */
  run(given: GivenArguments): Tree<Tensor> {
    const { backend, traced } = this;
    const { records, state } = given;
    const { loaded } = this.compiled;
    if (!loaded) throw errors.devicesNotHere({ topology: backend.devices.description });
    if (this.anyDonated) this.refuseSharedMemory(given);
    const arrays = [...records, ...traced.captures].map((record) => backend.arrayOf(record));
    const args = backend.devices.list.map((_, device) => {
      const list: (DeviceBuffer | BufferList)[] = arrays.map(({ buffers }) => buffers[device]!);
      if (state) list.splice(state.at, 0, state.carried.lists[device]!);
      return list;
    });
    // Tensors of a tidy end with it: they have to be there.
    const carried = engine().state.activeScope ? undefined : traced.carried;
    const total = traced.outputs.length;
    const sizes = carried ? [carried.first, carried.types.length, total - end(carried)] : [total];
    const results = loaded.executeParts(args, sizes);
    const one = (part: number) => results.map((parts) => parts[part]!);
    // Before the lists are emptied.
    const list = one(carried ? 1 : 0)[0]!;
    if (this.anyDonated) this.consume(given, arrays, list.length > 0 ? list : undefined);
    if (!carried) return unflatten(traced.outputTree, this.tensors(one(0), 0));
    backend.dispatched(list);
    const { name, rest } = carried;
    const others = [...this.tensors(one(0), 0), ...this.tensors(one(2), end(carried))];
    return { ...(unflatten(rest, others) as object), [name]: new Carried(backend, carried, one(1)).tree() };
  }

  /** Of a list of results on each device, which begins with result `from`. */
  private tensors(lists: readonly BufferList[], from: number): Tensor[] {
    const devices = lists.map((list) => list.buffers());
    this.backend.dispatched(devices[0]![0]);
    return devices[0]!.map((_, i) =>
      this.backend.arrayTensor({
        arrayType: this.traced.outputs[from + i]!,
        buffers: devices.map((buffers) => buffers[i]!),
      }),
    );
  }

  /** Memory that two arguments share, one of them donated, would be read after it was overwritten. */
  private refuseSharedMemory({ records, state, leafName }: GivenArguments): void {
    const { captures, name } = this.traced;
    const place = placeOf(state);
    const donated = (i: number) => this.traced.donated[place(i)]!;
    const call = ++calls;
    const refuse = (record: DataRecord, leaf: string, isDonated: boolean) => {
      const sharing = records.flatMap((other, i) => (other === record ? [i] : []));
      if (!isDonated && !sharing.some(donated)) return;
      throw errors.donatedTwice({ name, leaf, first: leafName(place(sharing[0]!)) });
    };
    for (let i = 0; i < records.length; i++) {
      const record = records[i]!;
      if (record.call === call) refuse(record, leafName(place(i)), donated(i));
      record.call = call;
    }
    for (const record of captures) {
      if (record.call === call) refuse(record, 'a tensor that the function refers to', false);
    }
  }

  private consume(
    { leaves, records, state }: GivenArguments,
    arrays: readonly DeviceArray[],
    output: BufferList | undefined,
  ): void {
    const { donated } = this.traced;
    const place = placeOf(state);
    const taken: DeviceArray[] = [];
    for (let i = 0; i < records.length; i++) {
      if (!donated[place(i)]) continue;
      this.backend.donate(leaves[i]!, records[i]!, this.gone);
      taken.push(arrays[i]!);
    }
    // Destroying a donated buffer waits for the program that took its memory: the host must not stand still for that.
    const lists = state?.carried.take(this.gone);
    const release = () => {
      taken.forEach(disposeArray);
      lists?.forEach((list) => list.dispose());
    };
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
