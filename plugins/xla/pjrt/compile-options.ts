// How a program is compiled: XLA's CompileOptionsProto, of which PJRT takes the bytes.

import * as proto from './protobuf';

export interface CompileOptions {
  /** Copies of the program that run side by side without sharding (default 1). */
  readonly replicas?: number;
  /** Devices that one program is partitioned over (default 1). More than one turns SPMD partitioning on. */
  readonly partitions?: number;
  /** The ids of the devices, `[replica][partition]`; the default is the client's own choice. */
  readonly deviceAssignment?: readonly (readonly number[])[];
  /** Shardings are Shardy's (`sdy.sharding`) rather than GSPMD's (`mhlo.sharding`); default true. */
  readonly shardy?: boolean;
  /** Compile for any one device, named when it executes (`execute`'s `device`); default false. */
  readonly portable?: boolean;
  /** XLA's debug options by name, such as `xla_cpu_enable_fast_math`; an unknown one is an error. */
  readonly xlaFlags?: Readonly<Record<string, string | boolean | number>>;
}

/** The bytes of a CompileOptionsProto (xla/pjrt/proto/compile_options.proto). */
export function encodeCompileOptions(options: CompileOptions = {}): Uint8Array {
  const { replicas = 1, partitions = 1, shardy = true, portable = false } = options;
  const build: proto.Message[] = [
    proto.int(1, -1), // device_ordinal: unset
    proto.int(4, replicas),
    proto.int(5, partitions),
    proto.bool(6, partitions > 1), // use_spmd_partitioning
    proto.bool(19, shardy), // use_shardy_partitioner
  ];
  if (options.deviceAssignment) build.push(deviceAssignment(9, options.deviceAssignment));
  return Uint8Array.from([
    ...proto.message(3, ...build),
    ...proto.bool(4, portable),
    ...Object.entries(options.xlaFlags ?? {}).flatMap(([name, value]) => flag(7, name, value)),
  ]);
}

/** The fields of an argument struct that options go to. */
export function compileOptionsOf(options?: CompileOptions) {
  const bytes = encodeCompileOptions(options);
  return { compile_options: bytes, compile_options_size: bytes.length };
}

/** DeviceAssignmentProto: for each partition, the device of each replica. */
function deviceAssignment(field: number, ids: readonly (readonly number[])[]): proto.Message {
  const partitions = ids[0]?.length ?? 0;
  const columns = Array.from({ length: partitions }, (_, partition) =>
    proto.message(3, ...ids.map((replica) => proto.int(1, replica[partition]!))),
  );
  return proto.message(field, proto.int(1, ids.length), proto.int(2, partitions), ...columns);
}

/** One entry of `map<string, OptionOverrideProto> env_option_overrides`. */
function flag(field: number, name: string, value: string | boolean | number): proto.Message {
  return proto.message(field, proto.text(1, name), proto.message(2, optionValue(value)));
}

function optionValue(value: string | boolean | number): proto.Message {
  if (typeof value === 'string') return proto.text(1, value);
  if (typeof value === 'boolean') return proto.bool(2, value);
  return Number.isInteger(value) ? proto.int(3, value) : proto.double(4, value);
}
