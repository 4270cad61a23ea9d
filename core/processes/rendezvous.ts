// What the processes of a run know together, kept by process 0: who is there, values under keys, and on what they agree.
// It answers questions; who asks, and how, is the coordinator's affair.

import { randomUUID } from 'node:crypto';
import { EventEmitter } from 'node:events';

/** `wait`: not yet; ask again. `failed`: the run is over, in words for people. */
export type Answer =
  | { readonly status: 'ok'; readonly body: Uint8Array }
  | { readonly status: 'wait'; readonly missing: readonly number[] }
  | { readonly status: 'refused' | 'failed'; readonly reason: string };

interface Member {
  lastSeen: number;
  left: boolean;
}

interface Gathering {
  readonly values: Map<number, string>;
}

const text = (value: string): Answer => ({ status: 'ok', body: Buffer.from(value) });
const done = text('');

export class Rendezvous {
  /** New at each start of a run. */
  readonly attempt = randomUUID().slice(0, 8);
  /** Emits `change` whenever something has changed that `wait` may depend on. */
  readonly events = new EventEmitter().setMaxListeners(0);
  private readonly members = new Map<number, Member>();
  private readonly values = new Map<string, Uint8Array>();
  private readonly gatherings = new Map<string, Gathering>();
  private failure: string | undefined;
  private stopWanted = false;

  constructor(
    private readonly count: number,
    /** A process that says nothing for so long is taken for dead. */
    private readonly silenceSeconds: number,
    private readonly now: () => number = () => performance.now() / 1000,
  ) {}

  join(index: number, count: number, attemptId: string): Answer {
    if (count !== this.count) {
      return { status: 'refused', reason: `it counts ${count} processes, and process 0 ${this.count}` };
    }
    const same = this.gather('join', index, attemptId);
    if (same !== attemptId) {
      return { status: 'refused', reason: `another process calls itself process ${index}` };
    }
    if (!this.members.has(index)) this.members.set(index, { lastSeen: this.now(), left: false });
    this.events.emit('change');
    return text(this.attempt);
  }

  /** A sign of life. The answer says whether a stop is wanted. */
  beat(index: number): Answer {
    const member = this.members.get(index);
    if (member) member.lastSeen = this.now();
    return this.failed() ?? text(this.stopWanted ? 'stop' : '');
  }

  put(key: string, value: Uint8Array): Answer {
    this.values.set(key, value);
    this.events.emit('change');
    return this.failed() ?? done;
  }

  get(key: string): Answer {
    const value = this.values.get(key);
    return this.failed() ?? (value ? { status: 'ok', body: value } : { status: 'wait', missing: [] });
  }

  /** Ready when all processes have named a value; refused where they differ. */
  agree(what: string, index: number, value: string): Answer {
    this.gather(`agree ${what}`, index, value);
    const { values } = this.gatherings.get(`agree ${what}`) as Gathering;
    const [first] = [...values].sort(([a], [b]) => a - b) as [[number, string]];
    const other = [...values].find(([, value]) => value !== first[1]);
    if (other) {
      const reason = `process ${first[0]} has ${first[1]}, process ${other[0]} has ${other[1]}`;
      return this.failed() ?? { status: 'refused', reason };
    }
    return this.failed() ?? this.whole(values) ?? done;
  }

  wantStop(): Answer {
    this.stopWanted = true;
    return done;
  }

  /** Ready when all processes have named a number: the answer is the greatest. */
  greatest(what: string, index: number, value: string): Answer {
    this.gather(`greatest ${what}`, index, value);
    const { values } = this.gatherings.get(`greatest ${what}`) as Gathering;
    return this.failed() ?? this.whole(values) ?? text(String(Math.max(...[...values.values()].map(Number))));
  }

  /** A process goes; with a reason it takes the others along. */
  leave(index: number, reason: string): Answer {
    const member = this.members.get(index);
    if (member) member.left = true;
    if (reason !== '') this.failure ??= `Process ${index} failed: ${reason}`;
    this.events.emit('change');
    return done;
  }

  /** Keeps the first value of each process, and returns that. */
  private gather(name: string, index: number, value: string): string {
    let gathering = this.gatherings.get(name);
    if (!gathering) this.gatherings.set(name, (gathering = { values: new Map() }));
    const known = gathering.values.get(index);
    if (known !== undefined) return known;
    gathering.values.set(index, value);
    this.events.emit('change');
    return value;
  }

  private whole(values: ReadonlyMap<number, string>): Answer | undefined {
    const missing = Array.from({ length: this.count }, (_, index) => index).filter(
      (index) => !values.has(index),
    );
    return missing.length === 0 ? undefined : { status: 'wait', missing };
  }

  private failed(): Answer | undefined {
    const now = this.now();
    for (const [index, { lastSeen, left }] of this.members) {
      if (left || now - lastSeen <= this.silenceSeconds) continue;
      this.failure ??= `Process ${index} has given no sign of life for ${this.silenceSeconds} seconds.`;
    }
    return this.failure === undefined ? undefined : { status: 'failed', reason: this.failure };
  }
}
