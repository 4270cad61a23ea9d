// A loaded PJRT plugin: its table of functions, called by name with named fields.

import koffi, { type TypeObject } from 'koffi';
import { codeName, errors, PjrtError } from './errors';
import { functionNames, type FunctionName } from './functions';
import { NULL, Struct, textAt, type Value, viewOf } from './memory';
import { type Kind } from './layout';
import { type Scalars, type StructName } from './structs';

/** The functions whose argument structs we know. */
export type Callable = { [N in FunctionName]: `${N}_Args` extends StructName ? N : never }[FunctionName];
export type Args<N extends Callable> = `${N}_Args` & StructName;
export type Inputs<N extends Callable> = {
  readonly [F in keyof Scalars<Args<N>>]?: Value<Scalars<Args<N>>[F] & Kind>;
};

export interface ApiVersion {
  readonly major: number;
  readonly minor: number;
}

/** The C API whose structs we pass: a plugin must know all their fields. */
export const apiVersion: ApiVersion = { major: 0, minor: 81 };

type Native = (args: bigint) => bigint | null;

/** Native code runs on a stack that koffi allocates: XLA's compiler needs more than its default of 2 MiB. */
const stackBytes = 16 << 20;

/** XLA logs to stderr, and greets in several lines unless told otherwise before it is loaded. */
const warningsOnly = '1';

export class Api {
  private readonly functions = new Map<FunctionName, Native>();
  private readonly structs = new Map<Callable, Struct<StructName>>();

  constructor(
    readonly path: string,
    readonly version: ApiVersion,
    private readonly addresses: ReadonlyMap<FunctionName, bigint>,
  ) {}

  /**
   * Calls a function of the C API.
   *
   * @param inputs fields of its argument struct; the others are zero.
   * @param where names the operation in errors.
   * @returns the struct after the call. It is reused by the next call of the same function: read it at once.
   * @throws PjrtError with PJRT's message.
   */
  call<N extends Callable>(name: N, inputs: Inputs<N>, where: string = name): Struct<Args<N>> {
    let args = this.structs.get(name) as Struct<Args<N>> | undefined;
    if (!args) this.structs.set(name, (args = new Struct(`${name}_Args` as Args<N>)));
    args.clear().setAll(inputs);
    this.invoke(name, args.address, where);
    return args;
  }

  /** Calls a function with a struct that the caller keeps filled in: for the hot path. */
  invoke(name: Callable, args: bigint, where: string = name): void {
    const error = this.native(name)(args);
    if (error) throw this.takeError(error, where);
  }

  /** Turns a native error into an exception and frees it. */
  private takeError(error: bigint, where: string): PjrtError {
    const message = new Struct('PJRT_Error_Message_Args').set('error', error);
    this.native('PJRT_Error_Message')(message.address);
    const reason = textAt(message.get('message'), message.get('message_size'));
    const code = new Struct('PJRT_Error_GetCode_Args').set('error', error);
    this.native('PJRT_Error_GetCode')(code.address);
    const result = new PjrtError(codeName(code.get('code')), reason, where);
    this.native('PJRT_Error_Destroy')(new Struct('PJRT_Error_Destroy_Args').set('error', error).address);
    return result;
  }

  private native(name: FunctionName): Native {
    let native = this.functions.get(name);
    if (!native) {
      const address = this.addresses.get(name) ?? NULL;
      if (address === NULL) throw new PjrtError('UNIMPLEMENTED', `not implemented by ${this.path}`, name);
      this.functions.set(name, (native = koffi.decode(address, prototypes().args) as Native));
    }
    return native;
  }
}

let cached: { readonly args: TypeObject } | undefined;

function prototypes() {
  // Functions that return void share this prototype too; nothing looks at what they "return".
  return (cached ??= { args: koffi.proto('void*', ['void*']) });
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
    if (loaded.size === 0) koffi.config({ sync_stack_size: stackBytes });
    process.env.TF_CPP_MIN_LOG_LEVEL ??= warningsOnly;
    keepLoaded(path);
    const getApi = koffi.load(path).func('GetPjrtApi', 'void*', []) as () => bigint;
    table = getApi();
  } catch (error) {
    throw errors.pluginNotLoadable({ path, reason: (error as Error).message });
  }
  const header = tableHeader(table);
  if (header.version.major !== apiVersion.major || header.version.minor < apiVersion.minor) {
    throw errors.pluginTooOld({ path, found: show(header.version), needed: show(apiVersion) });
  }
  const pointers = viewOf(table, header.structSize);
  const words = new BigUint64Array(pointers.buffer as ArrayBuffer, header.firstFunction);
  const api = new Api(
    path,
    header.version,
    new Map(functionNames.map((name, index) => [name, words[index]!])),
  );
  api.call('PJRT_Plugin_Initialize', {});
  return api;
}

/**
 * Koffi unloads its libraries when the process ends, while the threads of XLA still run: a crash at every exit.
 * A library opened as "no delete" stays.
 */
function keepLoaded(path: string): void {
  const RTLD_NOW = 0x2;
  const RTLD_NODELETE = 0x1000;
  const dlopen = koffi.load(null).func('dlopen', 'void*', ['str', 'int']) as (
    path: string,
    mode: number,
  ) => unknown;
  dlopen(path, RTLD_NOW | RTLD_NODELETE);
}

const show = ({ major, minor }: ApiVersion) => `${major}.${minor}`;

/** `struct PJRT_Api` begins with its size, an extension pointer and the embedded version. */
function tableHeader(table: bigint) {
  const size = 8 + 8;
  const version = new Struct('PJRT_Api_Version', {
    buffer: koffi.view(table + BigInt(size), 24),
    byteOffset: 0,
  });
  return {
    structSize: Number(new BigUint64Array(koffi.view(table, 8))[0]),
    version: { major: version.get('major_version'), minor: version.get('minor_version') },
    firstFunction: size + version.layout.stride,
  };
}
