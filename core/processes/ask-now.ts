// Asking the coordinator from a thread that must have the answer before it goes on.

import { type MessagePort, receiveMessageOnPort } from 'node:worker_threads';
import type { LinkReply, LinkRequest } from './link';
import type { Answer } from './rendezvous';

let questions = 0;

/**
 * Asks, and sleeps until the answer is there.
 *
 * @param port of `Processes.connect()`, used for nothing else.
 * @param seconds how long `wait` is no answer; without it for ever.
 */
export function askNow(port: MessagePort, question: LinkRequest['question'], seconds?: number): Answer {
  const signal = new Int32Array(new SharedArrayBuffer(4));
  port.postMessage({ id: questions++, question, seconds, signal } satisfies LinkRequest);
  Atomics.wait(signal, 0, 0);
  return (receiveMessageOnPort(port) as { message: LinkReply }).message.answer;
}
