// The profiler of a plugin that has one: `PLUGIN_Profiler_Api` of XLA's profiler_c_api.h, version 1.

import koffi, { type KoffiFunc } from 'koffi';
import { codeName, PjrtError } from './errors';
import { addressOf, NULL, type Pointer, textAt, viewOf, wordsAt } from './memory';
import { bool, int } from './protobuf';

/** The entries of the table after `struct_size` and `priv`, in the header's order. */
const functions = [
  ...(['error_destroy', 'error_message', 'error_get_code'] as const),
  ...(['create', 'destroy', 'start', 'stop', 'collect_data'] as const),
] as const;
type FunctionName = (typeof functions)[number];
type Native = KoffiFunc<(args: bigint) => bigint | null | undefined>;

const returnsError = koffi.proto('void*', ['void*']);
const returnsNothing = koffi.proto('void', ['void*']);
const infallible: readonly FunctionName[] = ['error_destroy', 'error_message'];

/** tensorflow.ProfileOptions: what jax.profiler asks for, without Python. */
const options = Uint8Array.from([
  ...int(5, 1), // version
  ...int(2, 2), // host_tracer_level
  ...int(3, 1), // device_tracer_level
  ...bool(7, true), // enable_hlo_proto
]);

/** Records what the devices of a plugin do, from when it is made until it is stopped. One at a time. */
export class Profiler {
  private readonly profiler: bigint;

  /**
   * Starts to record.
   *
   * @param table address of a PLUGIN_Profiler_Api.
   * @throws PjrtError with the profiler's message.
   */
  constructor(private readonly table: bigint) {
    this.profiler = this.call('create', options, BigInt(options.length), NULL)[3]!;
    try {
      this.call('start', this.profiler);
    } catch (error) {
      this.call('destroy', this.profiler);
      throw error;
    }
  }

  /** Ends the recording. Returns a serialized `tensorflow.profiler.XSpace`, as TensorBoard's files `.xplane.pb` are. */
  stop(): Uint8Array {
    try {
      this.call('stop', this.profiler);
      const [, , own, size] = this.call('collect_data', this.profiler, NULL, 0n);
      // By the header a second call fills the caller's buffer; plugins hand out their own in the first.
      if (own !== NULL) return withoutTerminator(viewOf(own!, Number(size)).slice());
      const bytes = new Uint8Array(Number(size));
      if (bytes.length > 0) this.call('collect_data', this.profiler, bytes, size!);
      return bytes;
    } finally {
      this.call('destroy', this.profiler);
    }
  }

  /** Calls with a struct of words, its size first; returns the struct afterwards. */
  private call(name: FunctionName, ...fields: readonly Pointer[]): BigUint64Array {
    const words = BigUint64Array.from([NULL, ...fields.map(addressOf)]);
    words[0] = BigInt(words.byteLength);
    const error = this.native(name)(addressOf(words));
    if (error) throw this.takeError(error, name);
    return words;
  }

  private native(name: FunctionName): Native {
    const [address] = wordsAt(this.table + BigInt(8 * (2 + functions.indexOf(name))), 1);
    return koffi.decode(address!, infallible.includes(name) ? returnsNothing : returnsError) as Native;
  }

  private takeError(error: bigint, name: FunctionName): PjrtError {
    const message = this.call('error_message', NULL, error, NULL, NULL);
    const reason = textAt(message[3]!, Number(message[4]!));
    const code = codeName(Number(this.call('error_get_code', NULL, error, NULL)[3]! & 0xffffffffn));
    this.call('error_destroy', NULL, error);
    return new PjrtError(code, reason, `PLUGIN_Profiler_${name}`);
  }
}

/**
 * libtpu counts a zero byte behind the message, which readers refuse. A message may end in zero, too: what tells is where
 * the last of its fields ends, all of which have a length (XSpace: planes, errors, warnings, hostnames).
 */
function withoutTerminator(bytes: Uint8Array): Uint8Array {
  let at = 0;
  while (at < bytes.length && bytes[at] !== 0) {
    let length = 0;
    let scale = 1;
    for (at++; bytes[at]! >= 128; at++, scale *= 128) length += (bytes[at]! - 128) * scale;
    at += 1 + length + bytes[at]! * scale;
  }
  return bytes.subarray(0, at);
}

/** The table that a PJRT_Profiler_Extension points to. */
export const profilerTable = (extension: bigint): bigint => wordsAt(extension + 24n, 1)[0]!;
