// Several processes that run one program: what the trainer and the runtime know of it.

import { createHash, randomUUID } from 'node:crypto';
import path from 'node:path';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { catalogue, ExitCode, type UserError } from '../errors';
import type { Question } from './coordinator';
import type { LinkCommand, LinkData, LinkEvent, LinkReply, LinkRequest, Limits } from './link';
import { Pace } from './pace';
import type { Place } from './place';
import type { Answer } from './rendezvous';

export interface Processes {
  readonly index: number;
  readonly count: number;
  /** The same in all processes, and new at each start of the run. */
  readonly attempt: string;
  /**
   * Waits until all have come here with the same value. Each `what` is agreed on once.
   * @throws UserError that says who has another one, or who is missing or dead.
   */
  agree(what: string, value: string): Promise<void>;
  /** True if it is in all processes. Each `what` is asked once. */
  every(what: string, value: boolean): Promise<boolean>;
  /**
   * Whether to stop after `parts` parts of the work: all processes get the same answer for the same number, soon after any of
   * them wants it. To be asked before each part.
   */
  stopsAfter(parts: number, wanted: boolean): Promise<boolean>;
  /** A way to the coordinator for another thread: see `LinkRequest`. */
  connect(): MessagePort;
  /** The process goes, when all others are at their end too; an error takes them along at once. */
  leave(error?: Error): Promise<void>;
}

/** A process that is alone. */
export const alone: Processes = {
  index: 0,
  count: 1,
  attempt: '',
  agree: () => Promise.resolve(),
  every: (_, value) => Promise.resolve(value),
  stopsAfter: (_, wanted) => Promise.resolve(wanted),
  connect() {
    throw new Error('A process that is alone has no coordinator');
  },
  leave: () => Promise.resolve(),
};

const errors = catalogue('processes', {
  missing: (v: { missing: readonly number[]; count: number; seconds: number; what: string }) => ({
    what: `After ${v.seconds} seconds ${v.missing.length === 1 ? 'process' : 'processes'} ${v.missing.join(', ')} of ${v.count} (from 0) ${v.missing.length === 1 ? "hasn't" : "haven't"} come (${v.what}).`,
    fix: 'see what became of them; each needs the same command, its own --process, and a way to the coordinator.',
    exitCode: ExitCode.failure,
  }),
  refused: (v: { index: number; coordinator: string; reason: string }) => ({
    what: `The coordinator at ${v.coordinator} doesn't take process ${v.index}: ${v.reason}.`,
    fix: 'give all processes the same --processes, and each another --process.',
  }),
  disagree: (v: { what: string; reason: string }) => ({
    what: `The processes don't agree on ${v.what}: ${v.reason}.`,
    fix: 'start all with the same command, code and files; the workdir must be one folder that all of them see.',
  }),
  portInUse: (v: { coordinator: string; reason: string }) => ({
    what: `Process 0 can't listen as the coordinator at ${v.coordinator}: ${v.reason}.`,
    fix: 'name another port in --coordinator, the same for all.',
  }),
  failed: (v: { reason: string }) => ({
    what: v.reason,
    fix: 'start the same command again in all processes: the run goes on from its last checkpoint.',
    exitCode: ExitCode.failure,
  }),
});

const usual: Limits = { startSeconds: 600, silenceSeconds: 60, lastWordsSeconds: 5, hearingSeconds: 20 };

/**
 * Finds the other processes. Resolves when all are there.
 * @param failed is called when one of them fails later on; it has to end the process.
 */
export async function joinProcesses(
  place: Place,
  failed: (error: UserError) => void,
  limits: Limits = usual,
): Promise<Processes> {
  const link = new Link(place, limits);
  try {
    await link.ready;
    const joined = await link.ask({
      verb: 'join',
      name: String(place.count),
      body: Buffer.from(randomUUID()),
    });
    if (joined.status === 'refused') {
      throw errors.refused({ index: place.index, coordinator: place.coordinator, reason: joined.reason });
    }
    const attempt = Buffer.from(bodyOf(joined)).toString();
    link.onFailure = (reason) => {
      setTimeout(() => failed(errors.failed({ reason })), limits.lastWordsSeconds * 1000).unref();
    };
    link.send({ command: 'beat' });
    const group = new Group(place, attempt, link);
    await group.agreeWithin('the number of processes', String(place.count), limits.startSeconds);
    return group;
  } catch (error) {
    await link.close(true);
    throw error;
  }
}

function bodyOf(answer: Answer): Uint8Array {
  if (answer.status === 'ok') return answer.body;
  throw errors.failed({ reason: 'reason' in answer ? answer.reason : 'The coordinator gave no answer.' });
}

class Group implements Processes {
  readonly index: number;
  readonly count: number;
  private asked = false;

  constructor(
    place: Place,
    readonly attempt: string,
    private readonly link: Link,
  ) {
    this.index = place.index;
    this.count = place.count;
  }

  agree(what: string, value: string): Promise<void> {
    return this.agreeWithin(what, value, Infinity);
  }

  async agreeWithin(what: string, value: string, seconds: number): Promise<void> {
    // Long values are told apart by their digests, which can be shown.
    const short = value.length <= 64 ? value : createHash('sha256').update(value).digest('hex').slice(0, 12);
    const body = Buffer.from(short);
    const answer = await this.link.ask({ verb: 'agree', name: what, body }, seconds);
    if (answer.status === 'refused') throw errors.disagree({ what, reason: answer.reason });
    if (answer.status === 'wait') {
      throw errors.missing({ missing: answer.missing, count: this.count, seconds, what });
    }
    bodyOf(answer);
  }

  async every(what: string, value: boolean): Promise<boolean> {
    const not = value ? '0' : '1';
    const answer = await this.link.ask({ verb: 'greatest', name: what, body: Buffer.from(not) }, Infinity);
    return Buffer.from(bodyOf(answer)).toString() === '0';
  }

  async stopsAfter(parts: number, wanted: boolean): Promise<boolean> {
    const { pace } = this.link;
    Atomics.store(pace, Pace.begun, parts + 1);
    if (wanted && !this.asked) {
      this.asked = true;
      void this.link.ask({ verb: 'stop' });
    }
    if (Atomics.load(pace, Pace.stopping) === 0) return false;
    return parts >= (await this.link.last);
  }

  connect(): MessagePort {
    return this.link.connect();
  }

  async leave(error?: Error): Promise<void> {
    let answer: Answer | undefined;
    if (error) {
      const reason = 'what' in error ? (error as UserError).what : error.message;
      await this.link.ask({ verb: 'leave', body: Buffer.from(reason || 'error') }, 0);
    } else {
      // Process 0 stays until nobody has a question any more.
      answer = await this.link.ask({ verb: 'agree', name: 'the end', body: Buffer.from('') });
    }
    await this.link.close(error !== undefined);
    if (answer) bodyOf(answer);
  }
}

/** The main thread's end of the link. */
class Link {
  readonly ready: Promise<void>;
  /** The step to stop after, once a stop is agreed on. */
  readonly last: Promise<number>;
  readonly pace = new Int32Array(new SharedArrayBuffer(8));
  onFailure: (reason: string) => void = () => undefined;
  private readonly worker: Worker;
  private readonly port: MessagePort;
  private readonly waiting = new Map<number, (answer: Answer) => void>();
  private questions = 0;

  constructor(place: Place, limits: Limits) {
    const workerData: LinkData = { place, limits, pace: this.pace };
    this.worker = new Worker(path.join(__dirname, 'link.js'), { workerData });
    // A command ends when its work is done, whether or not the thread still talks.
    this.worker.unref();
    let stopAfter: (last: number) => void = () => undefined;
    this.last = new Promise((resolve) => (stopAfter = resolve));
    this.ready = new Promise((resolve, reject) => {
      this.worker.on('message', (event: LinkEvent) => {
        if (event.event === 'ready') resolve();
        else if (event.event === 'port in use') {
          reject(errors.portInUse({ coordinator: place.coordinator, reason: event.reason }));
        } else if (event.event === 'stop') stopAfter(event.last);
        else this.onFailure(event.reason);
      });
      this.worker.on('error', reject);
    });
    this.port = this.connect();
    this.port.on('message', ({ id, answer }: LinkReply) => {
      this.waiting.get(id)?.(answer);
      this.waiting.delete(id);
      if (this.waiting.size === 0) this.port.unref();
    });
    this.port.unref();
  }

  send(command: LinkCommand, transfer: readonly MessagePort[] = []): void {
    this.worker.postMessage(command, [...transfer]);
  }

  connect(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    this.send({ command: 'connect', port: port2 }, [port2]);
    return port1;
  }

  ask(question: Omit<Question, 'process'>, seconds?: number): Promise<Answer> {
    const id = this.questions++;
    this.port.ref();
    this.port.postMessage({ id, question, seconds } satisfies LinkRequest);
    return new Promise((resolve) => this.waiting.set(id, resolve));
  }

  async close(failed: boolean): Promise<void> {
    this.send({ command: 'end', failed });
    // Process 0 goes on answering for a moment.
    this.worker.ref();
    await new Promise((resolve) => this.worker.once('exit', resolve));
    this.port.close();
  }
}
