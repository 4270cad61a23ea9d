// XLA's C API (PJRT) for TypeScript.
//
//   const client = Client.create(pluginPath, { cpuDeviceCount: 4 });
//   const x = client.bufferFromHost(new Float32Array([1, 2]), 'f32', [2]);
//   const program = client.compile(stablehloText, { partitions: 1 });
//   const [[y]] = program.execute([[x]]);      // [device][argument] -> [device][output]; runs asynchronously
//   await y.toHost();                          // Float32Array; toHostSync() blocks
//   y.dispose();                               // everything native has dispose(), more than once is fine
//
// Native failures throw PjrtError (code, reason). Element types have StableHLO's names (`f32`, `i1`, `ui8`).
// Donation is the program's (`tf.aliasing_output`); a donated buffer is deleted, and its object still has to
// be disposed; `execute`'s `nonDonatable` keeps an argument. Nothing but compile, deserializeExecutable and
// toHostSync blocks; waiting never does.

export { type ApiVersion } from './api';
export { type DeviceBuffer, type Shape } from './device-buffer';
export { Client, type ClientOptions } from './client';
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
