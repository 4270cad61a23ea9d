// Compiled programs: an Executable says what was compiled; a LoadedExecutable also runs.

import koffi, { type TypeObject } from 'koffi';
import { type Api } from './api';
import { type BufferContext, BufferList, type DeviceBuffer, type Shape } from './device-buffer';
import { type Device } from './device';
import { elementTypeOf } from './element-types';
import { addressOf, intsAt, type Memory, NULL, Struct, textAt, viewOf, wordsAt } from './memory';
import { decodeNamedValues, type NamedValues } from './named-values';
import { type Resource, type Resources } from './resources';

/** Bytes for each device. */
export interface CompiledMemoryStats {
  readonly generatedCode: number;
  readonly arguments: number;
  readonly outputs: number;
  /** How much of the arguments is reused for outputs. */
  readonly aliased: number;
  readonly temporaries: number;
  /** Zero where the platform doesn't work it out. */
  readonly peak: number;
}

/** A compiled program, loaded on devices or not. */
export class Executable {
  private readonly resource: Resource;
  /** What it returns, on each device. */
  readonly outputs: readonly Shape[];

  constructor(
    private readonly api: Api,
    resources: Resources,
    pointer: bigint,
  ) {
    this.resource = resources.own(this, 'executable', [pointer], destroyer(api))[0]!;
    this.outputs = outputShapes(api, pointer);
  }

  private get of() {
    return { executable: this.resource.pointer };
  }

  /**
   * What the compiler estimates for one device, by its own names: `flops`, `bytes accessed`, ...
   *
   * @throws PjrtError UNIMPLEMENTED on some platforms, such as CUDA when compiled ahead of time.
   */
  costAnalysis(): NamedValues {
    const cost = this.api.call('PJRT_Executable_GetCostAnalysis', this.of);
    return decodeNamedValues(cost.get('properties'), cost.get('num_properties'));
  }

  memoryStats(): CompiledMemoryStats {
    const stats = this.api.call('PJRT_Executable_GetCompiledMemoryStats', this.of);
    return {
      generatedCode: stats.get('generated_code_size_in_bytes'),
      arguments: stats.get('argument_size_in_bytes'),
      outputs: stats.get('output_size_in_bytes'),
      aliased: stats.get('alias_size_in_bytes'),
      temporaries: stats.get('temp_size_in_bytes'),
      peak: stats.get('peak_memory_in_bytes'),
    };
  }

  /** The program after optimization, in the platform's format (`hlo`: a serialized HloModuleProto). */
  optimizedProgram(): { readonly format: string; readonly code: Uint8Array } {
    const program = new Struct('PJRT_Program');
    const args = { ...this.of, program };
    this.api.call('PJRT_Executable_OptimizedProgram', args); // tells the size
    const code = new Uint8Array(program.get('code_size'));
    program.set({ code });
    this.api.call('PJRT_Executable_OptimizedProgram', args);
    return { format: textAt(program.get('format'), program.get('format_size')), code };
  }

  /** For the same plugin version and kind of device only. */
  serialize(): Uint8Array {
    const result = this.api.call('PJRT_Executable_Serialize', this.of);
    const deleter = result.get('serialized_executable_deleter');
    const backing = result.get('serialized_executable');
    try {
      return viewOf(result.get('serialized_bytes'), result.get('serialized_bytes_size')).slice();
    } finally {
      koffi.call(deleter, deleterType(), backing);
    }
  }

  dispose(): void {
    this.resource.release();
  }
}

// Made outside the constructors: a function that could reach the object would keep it from being collected.
const destroyer = (api: Api) => (executable: bigint) =>
  void api.call('PJRT_Executable_Destroy', { executable });
const unloader = (api: Api) => (executable: bigint) =>
  void api.call('PJRT_LoadedExecutable_Destroy', { executable });

let deleter: TypeObject | undefined;
const deleterType = () => (deleter ??= koffi.proto('void', ['void*']));

function outputShapes(api: Api, executable: bigint): readonly Shape[] {
  const types = api.call('PJRT_Executable_OutputElementTypes', { executable });
  const elementTypes = [...intsAt(types.get('output_types'), types.get('num_output_types'))];
  const shapes = api.call('PJRT_Executable_OutputDimensions', { executable });
  const ranks = [...wordsAt(shapes.get('dim_sizes'), elementTypes.length)].map(Number);
  const dims = [
    ...wordsAt(
      shapes.get('dims'),
      ranks.reduce((sum, rank) => sum + rank, 0),
    ),
  ].map(Number);
  let start = 0;
  return elementTypes.map((type, index) => ({
    elementType: elementTypeOf(type),
    dims: dims.slice(start, (start += ranks[index]!)),
  }));
}

export interface ExecuteOptions {
  /** Arguments that stay usable although the program says that it may reuse their memory. */
  readonly nonDonatable?: readonly number[];
  /** Where a `portable` program runs. */
  readonly device?: Device;
}

/** A compiled program on its devices. */
export class LoadedExecutable {
  readonly executable: Executable;
  /** Where it runs: the order of argument and output lists. */
  readonly devices: readonly Device[];
  private readonly resource: Resource;
  private readonly call = new Struct('PJRT_LoadedExecutable_Execute_Args');
  private readonly options = new Struct('PJRT_ExecuteOptions');
  private argumentTable = new PointerTable(1, 0);
  private outputTable: PointerTable;

  constructor(
    private readonly context: BufferContext,
    pointer: bigint,
  ) {
    const { api, resources } = context;
    this.resource = resources.own(this, 'executable', [pointer], unloader(api))[0]!;
    const inner = api.call('PJRT_LoadedExecutable_GetExecutable', { loaded_executable: pointer });
    this.executable = new Executable(api, resources, inner.get('executable'));
    const list = api.call('PJRT_LoadedExecutable_AddressableDevices', { executable: pointer });
    const pointers = wordsAt(list.get('addressable_devices'), list.get('num_addressable_devices'));
    this.devices = [...pointers].map((device) => context.deviceAt(device));
    this.outputTable = new PointerTable(Math.max(1, this.devices.length), this.outputs.length);
    this.call.set({ executable: pointer, options: this.options });
  }

  /** What it returns, on each device. */
  get outputs(): readonly Shape[] {
    return this.executable.outputs;
  }

  /**
   * Starts the program. It runs on after this returns; its errors show when an output is awaited.
   *
   * @param args `[device][argument]`.
   * @returns `[device][output]`, to be disposed by the caller.
   * @throws PjrtError when it can't be started: a wrong number of arguments, a deleted buffer, ...
   */
  execute(args: readonly (readonly DeviceBuffer[])[], options: ExecuteOptions = {}): DeviceBuffer[][] {
    return this.executeParts(args, [this.outputs.length], options).map(([all]) => all!.buffers());
  }

  /**
   * Like execute, without an object for each buffer: the arguments of a device may be lists, and so are the outputs.
   *
   * @param sizes how many outputs, in order, each list has.
   * @returns `[device][list]`.
   */
  executeParts(
    args: readonly (readonly (DeviceBuffer | BufferList)[])[],
    sizes: readonly number[],
    options: ExecuteOptions = {},
  ): BufferList[][] {
    const { pointer } = this.resource;
    const count = args[0]?.reduce((sum, arg) => sum + (arg instanceof BufferList ? arg.length : 1), 0) ?? 0;
    if (this.argumentTable.rows !== args.length || this.argumentTable.columns !== count) {
      this.argumentTable = new PointerTable(args.length, count);
    }
    if (this.outputTable.rows !== args.length) {
      this.outputTable = new PointerTable(args.length, this.outputs.length);
    }
    this.argumentTable.fill(args);
    const kept = BigInt64Array.from(options.nonDonatable ?? [], BigInt);
    this.options.set({
      non_donatable_input_indices: kept,
      num_non_donatable_input_indices: kept.length,
    });
    this.call.set({
      executable: pointer,
      argument_lists: this.argumentTable,
      num_devices: args.length,
      num_args: count,
      output_lists: this.outputTable,
      execute_device: options.device?.pointer ?? NULL,
    });
    this.context.api.invoke('PJRT_LoadedExecutable_Execute', this.call);
    return args.map((_, row) => {
      const pointers = this.outputTable.row(row);
      let end = 0;
      return sizes.map((size) => {
        const start = end;
        end += size;
        return new BufferList(this.context, pointers.slice(start, end), this.outputs.slice(start, end));
      });
    });
  }

  /** Frees it once running executions are over. */
  dispose(): void {
    this.resource.release();
    this.executable.dispose();
  }
}

/** Lists of pointers, one for each device, and the list of those lists. */
class PointerTable implements Memory {
  private readonly words: BigUint64Array;
  private readonly lists: BigUint64Array;
  readonly address: bigint;

  constructor(
    readonly rows: number,
    readonly columns: number,
  ) {
    this.words = new BigUint64Array(Math.max(1, rows * columns));
    const start = addressOf(this.words);
    this.lists = BigUint64Array.from(
      { length: Math.max(1, rows) },
      (_, row) => start + BigInt(8 * row * columns),
    );
    this.address = addressOf(this.lists);
  }

  fill(lists: readonly (readonly (DeviceBuffer | BufferList)[])[]): void {
    lists.forEach((list, index) => {
      const row = this.row(index);
      let column = 0;
      for (const item of list) {
        if (item instanceof BufferList) {
          row.set(item.pointers, column);
          column += item.length;
        } else row[column++] = item.pointer;
      }
      if (column !== this.columns) throw new RangeError('Devices have different numbers of arguments');
    });
  }

  row(index: number): BigUint64Array {
    return this.words.subarray(index * this.columns, (index + 1) * this.columns);
  }
}
