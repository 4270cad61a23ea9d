// Waiting for native events without blocking the event loop.
//
// The loop asks PJRT_Event_IsReady. PJRT_Event_OnReady would call back instead, but on a thread of XLA's, which
// a callback into JavaScript then holds until the event loop turns: a synchronous call that needs that thread
// (compile, or a program that runs inline) would never return.

import { type Api } from './api';

interface Waiting {
  readonly api: Api;
  readonly event: bigint;
  readonly where: string;
  readonly since: number;
  /** Native code may use it until then. */
  readonly kept: unknown;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

let waiting: Waiting[] = [];
let timer: NodeJS.Timeout | undefined;
let immediate: NodeJS.Immediate | undefined;

/**
 * For this many milliseconds an event is asked for in every turn of the loop: long enough for an op by itself, and no longer,
 * since the turns take processor time from a trainer that waits for a step.
 */
const eager = 0.6;
/** After that a wait of t ms is polled every t * lag, so the news is late by at most that share. */
const lag = 1 / 16;
const slowest = 10;

/**
 * Resolves when a native event is ready, and frees the event.
 *
 * @param where names the operation in errors.
 * @param kept stays reachable until then: memory that native code uses.
 */
export function settled(api: Api, event: bigint, where: string, kept?: unknown): Promise<void> {
  return new Promise((resolve, reject) => {
    const entry = { api, event, where, since: performance.now(), kept, resolve, reject };
    if (finish(entry)) return;
    waiting.push(entry);
    schedule();
  });
}

/** Blocks until a native event is ready, and frees the event. */
export function awaitNow(api: Api, event: bigint, where: string): void {
  try {
    api.call('PJRT_Event_Await', { event }, where);
  } finally {
    api.call('PJRT_Event_Destroy', { event });
  }
}

function schedule(): void {
  if (immediate) return;
  clearTimeout(timer);
  const newest = waiting[waiting.length - 1]!.since;
  const elapsed = performance.now() - newest;
  if (elapsed < eager) immediate = setImmediate(poll);
  else timer = setTimeout(poll, Math.min(slowest, elapsed * lag));
}

function poll(): void {
  immediate = undefined;
  waiting = waiting.filter((entry) => !finish(entry));
  if (waiting.length > 0) schedule();
}

function finish({ api, event, where, resolve, reject }: Waiting): boolean {
  if (!api.call('PJRT_Event_IsReady', { event }).get('is_ready')) return false;
  try {
    api.call('PJRT_Event_Error', { event }, where);
    resolve();
  } catch (error) {
    reject(error as Error);
  } finally {
    api.call('PJRT_Event_Destroy', { event });
  }
  return true;
}
