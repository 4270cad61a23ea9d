// What a thread of the key-value store does: it lends PJRT C functions, and asks the coordinator in each call.

import koffi from 'koffi';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { askNow } from '../../../core/processes/ask-now';
import type { Answer } from '../../../core/processes/rendezvous';
import { layoutOfStruct, NULL, Struct, viewOf } from '../pjrt/memory';

export type CallbackName = 'get' | 'tryGet' | 'put';

export interface StoreData {
  readonly port: MessagePort;
  readonly callbacks: readonly CallbackName[];
}

/** Addresses of the functions. */
export type StoreReady = Readonly<Partial<Record<CallbackName, bigint>>>;

type Callback =
  'PJRT_KeyValueGetCallback_Args' | 'PJRT_KeyValueTryGetCallback_Args' | 'PJRT_KeyValuePutCallback_Args';

const { port, callbacks } = workerData as StoreData;

/** Of `PJRT_Error_Code`. */
const codes = { deadlineExceeded: 4, notFound: 5, unavailable: 14 } as const;

const libc = koffi.load(null);
const malloc = libc.func('malloc', 'void*', ['size_t']) as (bytes: number) => bigint;
const dlsym = libc.func('dlsym', 'void*', ['void*', 'str']) as (library: null, name: string) => bigint;
const free = dlsym(null, 'free');
const makesError = koffi.proto('void*', ['int', 'void*', 'size_t']);
const callback = koffi.proto('void*', ['void*']);

function structAt<N extends Callback>(name: N, address: bigint): Struct<N> {
  return new Struct(name, { buffer: koffi.view(address, layoutOfStruct(name).stride), byteOffset: 0 });
}

const bytesAt = (address: bigint, size: number) => Buffer.from(viewOf(address, size));
/** Keys are bytes. */
const nameOf = (key: bigint, size: number) => bytesAt(key, size).toString('base64url');

function failure(callbackError: bigint, answer: Exclude<Answer, { status: 'ok' }>, waited: number): bigint {
  const late = answer.status === 'wait';
  const reason = late ? 'the key has no value yet' : answer.reason;
  const message = Buffer.from(reason);
  const make = koffi.decode(callbackError, 'void*') as bigint;
  return koffi.call(make, makesError, late ? waited : codes.unavailable, message, message.length) as bigint;
}

/** PJRT copies the value, and frees ours. */
function giveValue<N extends Exclude<Callback, 'PJRT_KeyValuePutCallback_Args'>>(
  args: Struct<N>,
  value: Uint8Array,
): bigint {
  const address = malloc(Math.max(1, value.length));
  viewOf(address, value.length).set(value);
  const fields = { value: address, value_size: value.length, value_deleter_callback: free };
  (args as Struct<'PJRT_KeyValueGetCallback_Args'>).set(fields);
  return NULL;
}

const functions: Readonly<Record<CallbackName, (address: bigint) => bigint>> = {
  get(address) {
    const args = structAt('PJRT_KeyValueGetCallback_Args', address);
    const name = nameOf(args.get('key'), args.get('key_size'));
    const answer = askNow(port, { verb: 'get', name }, args.get('timeout_in_ms') / 1000);
    if (answer.status === 'ok') return giveValue(args, answer.body);
    return failure(args.get('callback_error'), answer, codes.deadlineExceeded);
  },
  tryGet(address) {
    const args = structAt('PJRT_KeyValueTryGetCallback_Args', address);
    const answer = askNow(port, { verb: 'try', name: nameOf(args.get('key'), args.get('key_size')) }, 0);
    if (answer.status === 'ok') return giveValue(args, answer.body);
    return failure(args.get('callback_error'), answer, codes.notFound);
  },
  put(address) {
    const args = structAt('PJRT_KeyValuePutCallback_Args', address);
    const name = nameOf(args.get('key'), args.get('key_size'));
    const answer = askNow(port, {
      verb: 'put',
      name,
      body: bytesAt(args.get('value'), args.get('value_size')),
    });
    return answer.status === 'ok' ? NULL : failure(args.get('callback_error'), answer, codes.unavailable);
  },
};

const ready = Object.fromEntries(
  callbacks.map((name) => [name, koffi.register(functions[name], koffi.pointer(callback))]),
) as StoreReady;
(parentPort as MessagePort).postMessage(ready);
// PJRT may call for as long as the process lives.
setInterval(() => undefined, 2 ** 30);
