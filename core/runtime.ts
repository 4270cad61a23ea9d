// What runs tensors: the XLA engine, or one of tfjs's eager backends. Portable code (models, losses, the
// trainer) sees this interface and never which runtime stands behind it.

import type { ArraySpec, DType, HostArray } from './array';
import type { ArrayBlock, Extent, Rows } from './blocks';
import { ExitCode, UserError } from './errors';
import type { LogicalRules, Mesh, MeshAxes, PartitionSpec } from './mesh';
import type { Processes } from './processes/group';
import type { Tensor } from './tensor';
import type { Tree } from './tree';

export { batchParts, batchSharding, type Mesh, type PartitionSpec } from './mesh';

/** The shape and dtype of an array that need not exist, and where its parts would live. */
export class TensorSpec implements ArraySpec {
  constructor(
    readonly dtype: DType,
    readonly shape: readonly number[],
    /** Shorter than the shape means that the other dimensions aren't sharded; none at all means replicated. */
    readonly sharding: PartitionSpec = [],
  ) {}
}

export interface JitOptions {
  /** For compile and retrace reports. */
  readonly name: string;
  /** Positions of arguments whose tensors the call consumes: their memory holds the results. */
  readonly donate?: readonly number[];
  /** Positions of arguments that are plain data: each value is a program of its own. */
  readonly static?: readonly number[];
  /** How many combinations of static values are meant; one by default. Programs beyond them are reported as a retrace. */
  readonly variants?: number;
  /**
   * Partition specs of the results, as a tree that is a prefix of theirs. What isn't named takes the sharding of
   * the donated argument whose memory it reuses, and is replicated otherwise.
   */
  readonly outShardings?: Tree<ShardingLeaf>;
}

/** A partition spec as a leaf of a tree (an array would be taken for a subtree). */
export class ShardingLeaf {
  constructor(readonly spec: PartitionSpec) {}
}

/**
 * A function over trees of tensors that is traced once for each combination of shapes, dtypes, shardings and static
 * arguments, compiled, and cached. Calls return at once: the tensors are promises of the device's.
 */
export interface Jitted<Args extends readonly unknown[], Out> {
  (...args: Args): Out;
  /** Traces and compiles for these specs (trees of TensorSpec in the place of tensors) without running. */
  compile(...args: readonly unknown[]): Compiled;
  /** StableHLO of the program for these specs, which is traced and not compiled; undefined where nothing is compiled. */
  trace(...args: readonly unknown[]): string | undefined;
  /** How many programs the cache holds. */
  readonly programs: number;
}

/** What is known of a compiled program, where the runtime can tell. */
export interface Compiled {
  /** StableHLO, for golden tests and `bv compile`. */
  readonly text?: string;
  readonly traceSeconds: number;
  readonly compileSeconds: number;
  /** True if the executable came from the cache on disk. */
  readonly cached: boolean;
  /** Of the matrix products and convolutions of the whole program, over all devices, as they were traced. */
  readonly flops?: number;
  /** The compiler's own count, for one device. It counts the body of a loop once. */
  readonly deviceFlops?: number;
  readonly memory?: ProgramMemory;
  /** What one device says to the others in one execution; undefined where the compiled program can't be read. */
  readonly collectives?: readonly Collective[];
}

/** Bytes on each device. */
export interface ProgramMemory {
  readonly arguments: number;
  readonly outputs: number;
  /** How much of the outputs takes the memory of arguments. */
  readonly aliased: number;
  readonly temporaries: number;
  readonly code: number;
  /** The most that is in use at once. */
  readonly peak: number;
}

export interface Collective {
  /** `all-reduce`, `all-gather`, ... */
  readonly kind: string;
  /** How many take part in one; undefined for all of them, or where it isn't said. */
  readonly devices?: number;
  readonly count: number;
  /** The larger of what goes in and what comes out on one device, summed over all of them. */
  readonly bytes: number;
  /** That of the largest one: how much is there at once. */
  readonly largest: number;
}

/** A program that needs more memory than the device it is compiled for has. */
export class DeviceMemoryError extends UserError {
  constructor(
    program: string,
    /** Bytes, where the compiler says them. */
    readonly needed: number | undefined,
    readonly limit: number | undefined,
    details: string,
  ) {
    const sizes = needed !== undefined && limit !== undefined ? `: ${gib(needed)} of ${gib(limit)}` : '';
    super(
      'runtime/device-memory',
      `"${program}" doesn't fit into the device's memory${sizes}.`,
      'a smaller batch, a sharding_strategy that splits the state, rematerialisation, or more devices.',
      ExitCode.usage,
      { cause: new Error(details) },
    );
  }
}

const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(2)} GiB`;

export interface DeviceMemory {
  readonly device: string;
  /** Bytes; undefined where the platform doesn't tell. */
  readonly inUse?: number;
  readonly peak?: number;
  readonly limit?: number;
}

/** A recording under way. */
export interface DeviceTrace {
  /** Ends it: a serialized `tensorflow.profiler.XSpace`, what TensorBoard reads from files `.xplane.pb`. */
  stop(): Uint8Array;
}

export interface Runtime {
  /** `xla`, `tensorflow`, `wasm`, `cpu`. */
  readonly name: string;
  /** One line for people: `XLA on 1 cpu device (xla-cpu-pjrt 0.0.1)`. */
  readonly description: string;
  /** `cpu`, `cuda`, `tpu`. */
  readonly platform: string;
  /** The vendor's name of one device, such as `TPU v5 lite`; the platform's where there is none. */
  readonly deviceKind: string;
  /** True where `jit` compiles; false where it calls the function eagerly. */
  readonly compiles: boolean;
  readonly mesh: Mesh;
  /** This process among those that run the program together. */
  readonly process: { readonly index: number; readonly count: number };

  jit<Args extends readonly unknown[], Out>(
    fn: (...args: Args) => Out,
    options: JitOptions,
  ): Jitted<Args, Out>;

  /**
   * The specs of `fn`'s results for arguments of these specs: an abstract trace that computes nothing. Leaves of `args`
   * that aren't a TensorSpec are passed as they are.
   */
  evalShape(fn: (...args: never[]) => unknown, ...args: readonly unknown[]): Tree<TensorSpec>;

  /**
   * Copies to the device(s). The host array may be reused when this returns. Several processes all give the whole array.
   */
  toDevice(array: HostArray, sharding?: PartitionSpec): Tensor;

  /** Only where the devices aren't here: a tensor without values, with which programs can be compiled. */
  readonly placeholder?: (spec: TensorSpec) => Tensor;

  /** Of an array split so, the rows that the devices of this process need: all where it is alone. */
  rowsHere(rows: number, sharding: PartitionSpec): Rows;

  /** Like `toDevice`, of an array of so many `rows` of which each process gives its `rowsHere` alone. */
  rowsToDevice(array: HostArray, rows: number, sharding: PartitionSpec): Tensor;

  /**
   * Copies to the host when the device has computed it, without blocking the event loop. Of several processes all call it,
   * in the same order: each gets the whole array.
   */
  toHost(tensor: Tensor): Promise<HostArray>;

  /** Copies what of an array this process has to keep: over all processes, each of its values is there once. */
  blocksToHost(tensor: Tensor): Promise<readonly ArrayBlock[]>;

  /** The different blocks that the devices of this process need of an array of this shape, split so. */
  blocksHere(shape: readonly number[], sharding: PartitionSpec): readonly Extent[];

  /** Like `toDevice`, of an array of which each process gives its `blocksHere` alone, in their order. */
  blocksToDevice(blocks: readonly ArrayBlock[], sharding: PartitionSpec): Tensor;

  /** The spec of a tensor, storage dtype and sharding included. */
  specOf(tensor: Tensor): TensorSpec;

  /** Resolves when everything that was dispatched is computed. */
  idle(): Promise<void>;

  memory(): readonly DeviceMemory[];

  /** Starts to record what the devices do, or says why that can't be. Absent where nothing is compiled. */
  traceDevices?(): DeviceTrace | { readonly reason: string };

  dispose(): Promise<void>;
}

/** What a run asks of a runtime, from its config and the command line. */
export interface RuntimeOptions {
  /** Named axes; one size may be -1 for all the devices that remain. */
  readonly mesh?: MeshAxes;
  /** Logical names of dimensions: see `Mesh.rules`. */
  readonly rules?: LogicalRules;
  /** Folder of the compile cache; none means no cache. */
  readonly compileCache?: string;
  /** The others that run the same program; none where this process is alone. */
  readonly processes?: Processes;
  /** Hardware to compile for that needn't be there, such as `v5e:4x4`: programs are compiled and never run. */
  readonly topology?: string;
}

/** Fetches what a runtime needs from outside npm, such as a PJRT plugin: `bv runtime install NAME`. */
export interface Installer {
  /** The runtime that works afterwards. */
  readonly runtime: string;
  /** Right for every machine of this platform and small: `bv train` may run it without being asked. */
  readonly automatic: boolean;
  /** What is there now; undefined if nothing is. */
  installed(): { readonly file: string; readonly version: string } | undefined;
  /** Replaces what is there. `note` gets one line of progress at a time. */
  install(note: (line: string) => void): Promise<void>;
}
