// XLA's C API (PJRT) for TypeScript.
//
//   const client = Client.create(await ensureInstalled('cpu'), { cpuDeviceCount: 4 });
//   const x = client.bufferFromHost(new Float32Array([1, 2]), 'f32', [2], client.addressableDevices[0]);
//   const program = client.compile(stablehloText, { partitions: 1 });
//   const [[y]] = program.execute([[x]]);      // [device][argument] -> [device][output]; runs asynchronously
//   await y.toHost();                          // Float32Array; toHostSync() blocks
//   y.dispose();                               // everything native has dispose(), more than once is fine
//
// - Native failures throw PjrtError (code, reason); what a user can put right is a UserError `runtime/...`.
// - Element types have StableHLO's names: `f32`, `i1`, `ui8`, `bf16` (on the host the bits in a Uint16Array).
// - Donation is the program's (`tf.aliasing_output`). A donated buffer is deleted; its object still has to be
//   disposed. `execute`'s `nonDonatable` spares arguments.
// - Only compile, deserializeExecutable, copies of bufferFromHost and toHostSync take main-thread time.
// - Programs for devices that aren't there: `Topology.create(plugin, 'v5e:4x4').compile(text, options)`.
// - Programs on disk: `program.executable.serialize()`, `client.deserializeExecutable(bytes)`.

export { type ApiVersion } from './api';
export { type BufferList, type DeviceBuffer, type Shape } from './device-buffer';
export { Client, type ClientOptions, type KeyValueCallbacks } from './client';
export { type CompileOptions } from './compile-options';
export { type Device, type DeviceDescription, type MemoryStats } from './device';
export { bytesOf, type ElementType, elementTypes, hostArray, type HostArray } from './element-types';
export { PjrtError, type PjrtErrorCode } from './errors';
export {
  type CompiledMemoryStats,
  type Executable,
  type ExecuteOptions,
  type LoadedExecutable,
} from './executable';
export { type NamedValue, type NamedValues } from './named-values';
export { type Source } from './program';
export { Topology } from './topology';
