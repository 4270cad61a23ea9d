// The key-value store through which the CUDA clients of several processes find each other: PJRT calls it back, on threads of
// its own and while the main thread is in a call to it. So the callbacks live on threads that do nothing else. Values are put
// by another one than they are got by: a get waits until some process has put, and must not hold up a put of this one.

import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Processes } from '../../../core/processes/group';
import type { ClientOptions, KeyValueCallbacks } from '../pjrt';
import type { CallbackName, StoreData, StoreReady } from './worker';

/** What makes a client of CUDA one of several. */
export async function together(processes: Processes): Promise<Pick<ClientOptions, 'platform' | 'keyValue'>> {
  return {
    platform: { node_id: processes.index, num_nodes: processes.count },
    keyValue: await keyValueCallbacks(processes),
  };
}

/** Callbacks that ask the coordinator, for as long as this process lives. */
export async function keyValueCallbacks(processes: Processes): Promise<KeyValueCallbacks> {
  const [readers, writer] = await Promise.all([
    start(processes, ['get', 'tryGet']),
    start(processes, ['put']),
  ]);
  return { get: readers.get!, tryGet: readers.tryGet!, put: writer.put! };
}

function start(processes: Processes, callbacks: readonly CallbackName[]): Promise<StoreReady> {
  const port = processes.connect();
  const workerData: StoreData = { port, callbacks };
  const worker = new Worker(path.join(__dirname, 'worker.js'), { workerData, transferList: [port] });
  worker.unref();
  return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
}
