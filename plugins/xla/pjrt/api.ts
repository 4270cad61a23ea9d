// A loaded PJRT plugin: its table of functions, called by name with named fields.

import koffi, { type KoffiFunc } from 'koffi';
import { codeName, errors, PjrtError } from './errors';
import { extensionsAt } from './extensions';
import { functionNames, type FunctionName } from './functions';
import { openPlugin } from './library';
import { callOnThread } from './thread';
import { type Inputs, layoutOfStruct, NULL, Struct, textAt, wordsAt } from './memory';
import { type StructName } from './structs';

/** The functions whose argument structs we know. */
export type Callable = { [N in FunctionName]: `${N}_Args` extends StructName ? N : never }[FunctionName];
export type Args<N extends Callable> = `${N}_Args` & StructName;

export interface ApiVersion {
  readonly major: number;
  readonly minor: number;
}

/** The C API whose structs we pass: a plugin must know all their fields. */
export const apiVersion: ApiVersion = { major: 0, minor: 81 };

type Native = KoffiFunc<(args: bigint) => bigint | null | undefined>;

const returnsError = koffi.proto('void*', ['void*']);
const returnsNothing = koffi.proto('void', ['void*']);
/** The functions that can't fail. */
const infallible: ReadonlySet<FunctionName> = new Set(['PJRT_Error_Destroy', 'PJRT_Error_Message']);

/** The functions of one plugin. */
export class Api {
  private readonly functions = new Map<FunctionName, Native>();
  private readonly structs = new Map<Callable, Struct<StructName>>();

  constructor(
    readonly path: string,
    readonly version: ApiVersion,
    private readonly addresses: ReadonlyMap<FunctionName, bigint>,
    /** Addresses of the plugin's extensions, by type. */
    readonly extensions: ReadonlyMap<number, bigint>,
  ) {}

  /**
   * Calls a function of the C API.
   *
   * @param inputs fields of its argument struct; the others are zero.
   * @param where names the operation in errors.
   * @returns the struct after the call. It is reused by the next call of the same function: read it at once.
   * @throws PjrtError with PJRT's message.
   */
  call<N extends Callable>(name: N, inputs: Inputs<Args<N>>, where: string = name): Struct<Args<N>> {
    let args = this.structs.get(name) as Struct<Args<N>> | undefined;
    if (!args) this.structs.set(name, (args = new Struct(`${name}_Args` as Args<N>)));
    args.clear().set(inputs);
    try {
      this.invoke(name, args, where);
    } finally {
      args.letGo();
    }
    return args;
  }

  /**
   * Like call, on a thread of its own that this one waits for: what the function allocates and frees is in another arena
   * of malloc. In this thread's, a compiler leaves so many holes all over that each later call, which allocates thousands
   * of small objects, takes twice the time.
   *
   * @returns the struct after the call, which is the caller's.
   */
  callApart<N extends Callable>(name: N, inputs: Inputs<Args<N>>): Struct<Args<N>> {
    const args = new Struct(`${name}_Args` as Args<N>).set(inputs);
    const error = callOnThread(this.addressOf(name), args.address);
    args.letGo();
    if (error !== NULL) throw this.takeError(error, name);
    return args;
  }

  /** Calls a function with a struct that the caller keeps filled in: for the hot path. */
  invoke<N extends Callable>(name: N, args: Struct<Args<N>>, where: string = name): void {
    const error = this.native(name)(args.address);
    if (error) throw this.takeError(error, where);
  }

  /** Turns a native error into an exception and frees it. */
  private takeError(error: bigint, where: string): PjrtError {
    const message = this.call('PJRT_Error_Message', { error });
    const reason = textAt(message.get('message'), message.get('message_size'));
    const code = codeName(this.call('PJRT_Error_GetCode', { error }).get('code'));
    this.call('PJRT_Error_Destroy', { error });
    return new PjrtError(code, reason, where);
  }

  private native(name: FunctionName): Native {
    let native = this.functions.get(name);
    if (!native) {
      const prototype = infallible.has(name) ? returnsNothing : returnsError;
      this.functions.set(name, (native = koffi.decode(this.addressOf(name), prototype) as Native));
    }
    return native;
  }

  private addressOf(name: FunctionName): bigint {
    const address = this.addresses.get(name) ?? NULL;
    if (address === NULL) throw new PjrtError('UNIMPLEMENTED', `not implemented by ${this.path}`, name);
    return address;
  }
}

const loaded = new Map<string, Api>();

/**
 * Loads a PJRT plugin, once for each path.
 *
 * @throws UserError runtime/plugin-not-loadable, runtime/plugin-too-old.
 */
export function loadApi(path: string): Api {
  let api = loaded.get(path);
  if (!api) loaded.set(path, (api = load(path)));
  return api;
}

function load(path: string): Api {
  let table: bigint;
  try {
    table = openPlugin(path);
  } catch (error) {
    throw errors.pluginNotLoadable({ path, reason: (error as Error).message });
  }
  const version = versionOf(table);
  if (version.major !== apiVersion.major || version.minor < apiVersion.minor) {
    throw errors.pluginTooOld({ path, found: show(version), needed: show(apiVersion) });
  }
  const pointers = wordsAt(table + BigInt(layoutOfStruct('PJRT_Api').structSize), functionNames.length);
  const addresses = new Map(functionNames.map((name, index) => [name, pointers[index]!]));
  const { offset } = layoutOfStruct('PJRT_Api').places.extension_start!;
  const [firstExtension] = wordsAt(table + BigInt(offset), 1);
  const api = new Api(path, version, addresses, extensionsAt(firstExtension!));
  api.call('PJRT_Plugin_Initialize', {});
  return api;
}

function versionOf(table: bigint): ApiVersion {
  const { places, structSize } = layoutOfStruct('PJRT_Api');
  const memory = { buffer: koffi.view(table, structSize), byteOffset: places.pjrt_api_version!.offset };
  const version = new Struct('PJRT_Api_Version', memory);
  return { major: version.get('major_version'), minor: version.get('minor_version') };
}

const show = ({ major, minor }: ApiVersion) => `${major}.${minor}`;
