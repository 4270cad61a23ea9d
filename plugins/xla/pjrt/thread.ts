// Native functions on a thread of their own.

import koffi from 'koffi';

/** Stack of native code: XLA's compiler needs more than the usual 2 or 8 MiB. */
export const stackBytes = 16 << 20;

interface Threads {
  /** A `pthread_attr_t` with our size of stack. */
  readonly attributes: Uint8Array;
  create(thread: BigUint64Array, attributes: Uint8Array, start: bigint, argument: bigint): number;
  join(thread: bigint, result: BigUint64Array): number;
}

let threads: Threads | undefined;

function load(): Threads {
  const libc = koffi.load(null);
  const attributes = new Uint8Array(64);
  libc.func('pthread_attr_init', 'int', ['void*'])(attributes);
  libc.func('pthread_attr_setstacksize', 'int', ['void*', 'size_t'])(attributes, stackBytes);
  return {
    attributes,
    create: libc.func('pthread_create', 'int', ['void*', 'void*', 'void*', 'void*']),
    join: libc.func('pthread_join', 'int', ['uint64', 'void*']),
  };
}

/** Calls a C function of type `void *(void *)` on a new thread, and waits for what it returns. */
export function callOnThread(start: bigint, argument: bigint): bigint {
  threads ??= load();
  const thread = new BigUint64Array(1);
  const failure = threads.create(thread, threads.attributes, start, argument);
  if (failure !== 0) throw new Error(`A thread can't be started (error ${failure})`);
  const result = new BigUint64Array(1);
  threads.join(thread[0]!, result);
  return result[0]!;
}
