// The thread of a process that talks to the coordinator, and is it in process 0. The main thread stands still while XLA
// compiles or starts a program; this one doesn't, so that signs of life go on, and questions of XLA's threads are answered.

import { writeSync } from 'node:fs';
import type { Server } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { askerOf, type Question, serve } from './coordinator';
import { Pace } from './pace';
import type { Place } from './place';
import { type Answer, Rendezvous } from './rendezvous';

export interface LinkData {
  readonly place: Place;
  readonly limits: Limits;
  /** Two words that the main thread shares: see `Pace`. */
  readonly pace: Int32Array;
}

export interface Limits {
  /** How long processes wait for each other at the start. */
  readonly startSeconds: number;
  /** A process or coordinator that says nothing for so long is taken for dead. */
  readonly silenceSeconds: number;
  /** Between hearing that another process has failed and ending this one, which may be about to say the reason itself. */
  readonly lastWordsSeconds: number;
  /** After a failure: if the main thread hasn't ended the process by then, it stands still, and this one does it. */
  readonly hearingSeconds: number;
}

/** What another thread asks. */
export interface LinkRequest {
  readonly id: number;
  readonly question: Omit<Question, 'process'>;
  /** How long `wait` is no answer; without it for ever. */
  readonly seconds?: number;
  /** Set to 1 and notified once the answer lies in the port: for a thread that sleeps until then. */
  readonly signal?: Int32Array;
}

export interface LinkReply {
  readonly id: number;
  readonly answer: Answer;
}

/** What this thread says by itself. */
export type LinkEvent =
  /** All processes stop after this step. */
  | { readonly event: 'stop'; readonly last: number }
  | { readonly event: 'failed'; readonly reason: string }
  | { readonly event: 'port in use'; readonly reason: string }
  | { readonly event: 'ready' };

export type LinkCommand =
  | { readonly command: 'connect'; readonly port: MessagePort }
  | { readonly command: 'beat' }
  | { readonly command: 'end'; readonly failed: boolean };

/** Between two signs of life. */
const beatSeconds = 1;
/** How long process 0 answers after it has failed: long enough for all to hear of it. */
const afterSeconds = 3 * beatSeconds;

const parent = parentPort as MessagePort;
const { place, limits, pace } = workerData as LinkData;
const asker = askerOf(place.coordinator);
let reached = false;
let ending = false;
let failure: string | undefined;
let server: Server | undefined;

const tell = (event: LinkEvent) => parent.postMessage(event);

/** Asks until there is an answer. What can't be reached for too long counts as a failure of the run. */
async function ask(question: Omit<Question, 'process'>, seconds = Infinity): Promise<Answer> {
  const start = performance.now();
  let lastContact = start;
  for (;;) {
    try {
      const answer = await asker.ask({ ...question, process: place.index });
      reached = true;
      lastContact = performance.now();
      const isOver = answer.status !== 'wait' || performance.now() - start >= seconds * 1000;
      if (isOver || ending) return answer;
    } catch (error) {
      const limit = reached ? limits.silenceSeconds : limits.startSeconds;
      if (ending || performance.now() - lastContact > limit * 1000) {
        return { status: 'failed', reason: unreachable(limit, error as Error) };
      }
      await sleep(100);
    }
  }
}

const unreachable = (seconds: number, error: Error) =>
  `Process 0, the coordinator at ${place.coordinator}, can't be reached for ${seconds} seconds (${error.message}).`;

async function beat(): Promise<void> {
  let told = false;
  while (!ending) {
    const answer = await ask({ verb: 'beat' });
    if (ending) return;
    if (answer.status === 'failed') return fail(answer.reason);
    const wantsStop = answer.status === 'ok' && Buffer.from(answer.body).toString() === 'stop';
    if (wantsStop && !told) void agreeOnStop();
    told ||= wantsStop;
    await sleep(beatSeconds * 1000);
  }
}

/**
 * The last step is the furthest that any process has begun. The main thread needn't take part: it may be waiting for a device
 * that waits for a process that is behind.
 */
async function agreeOnStop(): Promise<void> {
  Atomics.store(pace, Pace.stopping, 1);
  const body = Buffer.from(String(Atomics.load(pace, Pace.begun)));
  const answer = await ask({ verb: 'greatest', name: 'stop', body });
  if (answer.status === 'ok') tell({ event: 'stop', last: Number(Buffer.from(answer.body).toString()) });
}

/** The collectives of a run that has lost a process never end: neither may this process wait for them. */
async function fail(reason: string): Promise<void> {
  if (failure !== undefined) return;
  failure = reason;
  tell({ event: 'failed', reason });
  await sleep(limits.hearingSeconds * 1000);
  if (ending) return;
  writeSync(2, `${reason} Process ${place.index} is ended, since it waits for that one.\n`);
  process.kill(process.pid, 'SIGKILL');
}

function answerOn(port: MessagePort): void {
  port.on('message', ({ id, question, seconds, signal }: LinkRequest) => {
    void ask(question, seconds).then((answer) => {
      port.postMessage({ id, answer } satisfies LinkReply);
      if (!signal) return;
      Atomics.store(signal, 0, 1);
      Atomics.notify(signal, 0);
    });
  });
}

async function end(failed: boolean): Promise<void> {
  ending = true;
  asker.close();
  if (server && failed) await sleep(afterSeconds * 1000);
  else if (server) {
    // All have come to the end; some may not have been told yet.
    const closed = new Promise((resolve) => server?.close(resolve));
    server.closeIdleConnections();
    await Promise.race([closed, sleep(afterSeconds * 1000)]);
  }
  process.exit();
}

async function main(): Promise<void> {
  parent.on('message', (message: LinkCommand) => {
    if (message.command === 'connect') answerOn(message.port);
    else if (message.command === 'beat') void beat();
    else if (message.command === 'end') void end(message.failed);
  });
  if (place.index === 0) {
    const rendezvous = new Rendezvous(place.count, limits.silenceSeconds);
    try {
      server = await serve(rendezvous, Number(new URL(`http://${place.coordinator}`).port || 80));
    } catch (error) {
      return tell({ event: 'port in use', reason: (error as Error).message });
    }
  }
  tell({ event: 'ready' });
}

void main();
