// Loading a plugin's shared library such that the process also ends well.

import { readFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import koffi from 'koffi';
import { stackBytes } from './thread';

/** XLA logs to stderr, and greets in several lines unless told otherwise before it is loaded. */
const warningsOnly = '1';

let isPrepared = false;

/**
 * Opens a plugin and returns the address of its `struct PJRT_Api`.
 *
 * @throws Error with the loader's message.
 */
export function openPlugin(path: string): bigint {
  if (!isPrepared) {
    growStack();
    process.env.TF_CPP_MIN_LOG_LEVEL ??= warningsOnly;
    process.once('exit', stopProfilingTimers);
    process.once('exit', skipDestructors);
    isPrepared = true;
  }
  keepLoaded(path);
  const getApi = koffi.load(path).func('GetPjrtApi', 'void*', []) as () => bigint;
  return getApi();
}

/** The stack that koffi allocates; it takes its settings only before it has loaded the first library in the process. */
function growStack(): void {
  const { sync_stack_size = 0 } = koffi.config();
  if (sync_stack_size < stackBytes) koffi.config({ sync_stack_size: stackBytes });
}

/**
 * Koffi unloads its libraries when the process ends, while the threads of XLA still run: a crash at every exit.
 * A library opened as "no delete" stays.
 */
function keepLoaded(path: string): void {
  const RTLD_NOW = 0x2;
  const RTLD_NODELETE = 0x1000;
  type Dlopen = (path: string, mode: number) => bigint | null;
  const dlopen = koffi.load(null).func('dlopen', 'void*', ['str', 'int']) as Dlopen;
  dlopen(path, RTLD_NOW | RTLD_NODELETE);
}

/**
 * Threads of XLA may be in the middle of a program when the process ends, and would crash in what the destructors of
 * globals leave. So the process ends before they run: C's `exit` starts with the destructors of the thread that calls
 * it, and ours is `_exit`. A function for `atexit` would come too late, since those threads may still register more
 * of them, and the last comes first.
 */
function skipDestructors(code: number): void {
  if (!isMainThread) return; // a thread's end is not that of the process
  const libc = koffi.load(null);
  const addressOf = libc.func('dlsym', 'void*', ['void*', 'str']) as (library: null, name: string) => bigint;
  const atThreadExit = libc.func('__cxa_thread_atexit_impl', 'int', ['void*', 'size_t', 'void*']) as (
    call: bigint,
    argument: number,
    symbolOfLibrary: bigint,
  ) => number;
  const exit = addressOf(null, '_exit');
  atThreadExit(exit, code, exit);
}

/**
 * The TPU plugin profiles its threads with timers that send SIGPROF. Node restores the default action of every
 * signal as it ends, and that of SIGPROF is to kill the process: the exit code would be lost.
 */
function stopProfilingTimers(): void {
  if (process.arch !== 'x64') return; // the only processor that this plugin exists for
  const timer_delete = 226;
  const syscall = koffi.load(null).func('syscall', 'long', ['long', 'long']) as (
    call: number,
    id: number,
  ) => number;
  for (const [, id] of profilingTimers().matchAll(/^ID: (\d+)\nsignal: 27\//gm))
    syscall(timer_delete, Number(id));
}

function profilingTimers(): string {
  try {
    return readFileSync('/proc/self/timers', 'utf8');
  } catch {
    return ''; // a kernel that doesn't list them
  }
}
