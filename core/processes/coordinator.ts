// A rendezvous over HTTP: process 0 serves it, everybody asks. Bodies are bytes; what isn't there yet is asked for again and
// again, each time with some patience, so that no connection has to last.

import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, request as httpRequest, type Server } from 'node:http';
import type { Answer, Rendezvous } from './rendezvous';

/** One question: `verb` names a method of the rendezvous. */
export interface Question {
  readonly verb: 'join' | 'beat' | 'put' | 'get' | 'try' | 'agree' | 'stop' | 'greatest' | 'leave';
  readonly process: number;
  /** A key, or what is agreed on. */
  readonly name?: string;
  readonly body?: Uint8Array;
}

/** How long a question waits at the coordinator for its answer. */
const holdSeconds = 2;

const codes: Readonly<Record<Answer['status'], number>> = { ok: 200, wait: 202, refused: 409, failed: 410 };
const statuses = Object.fromEntries(Object.entries(codes).map(([status, code]) => [code, status]));

/** Answers until it is closed. Listens on all of the machine's addresses, since its name may mean another one to itself. */
export function serve(rendezvous: Rendezvous, port: number): Promise<Server> {
  const server = createServer((message, response) => {
    const respond = async () => {
      const url = new URL(message.url ?? '/', 'http://coordinator');
      const verb = url.pathname.slice(1) as Question['verb'];
      const process = Number(url.searchParams.get('process'));
      const name = url.searchParams.get('name') ?? '';
      const body = await bodyOf(message);
      const holds = verb === 'try' ? 0 : holdSeconds;
      const answer = await held(() => ask(rendezvous, { verb, process, name, body }), rendezvous, holds);
      response.statusCode = answer ? codes[answer.status] : 404;
      if (answer?.status === 'ok') response.end(answer.body);
      else response.end(JSON.stringify(answer ?? {}));
    };
    respond().catch(() => response.destroy());
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, () => resolve(server));
  });
}

function ask(rendezvous: Rendezvous, question: Question): Answer | undefined {
  const { verb, process, name = '', body = new Uint8Array() } = question;
  const said = Buffer.from(body).toString('utf8');
  switch (verb) {
    case 'join':
      return rendezvous.join(process, Number(name), said);
    case 'beat':
      return rendezvous.beat(process);
    case 'put':
      return rendezvous.put(name, body);
    case 'get':
    case 'try':
      return rendezvous.get(name);
    case 'agree':
      return rendezvous.agree(name, process, said);
    case 'stop':
      return rendezvous.wantStop();
    case 'greatest':
      return rendezvous.greatest(name, process, said);
    case 'leave':
      return rendezvous.leave(process, said);
    default:
      return undefined;
  }
}

/** An answer that isn't `wait`, if there is one soon. */
async function held(
  ask: () => Answer | undefined,
  rendezvous: Rendezvous,
  seconds: number,
): Promise<Answer | undefined> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const answer = ask();
    const left = end - performance.now();
    if (answer?.status !== 'wait' || left <= 0) return answer;
    const signal = AbortSignal.timeout(Math.ceil(left));
    await once(rendezvous.events, 'change', { signal }).catch(() => undefined);
  }
}

export interface Asker {
  /** @throws Error where the coordinator can't be reached. */
  ask(question: Question): Promise<Answer>;
  close(): void;
}

/** Asks the coordinator at `host:port`. */
export function askerOf(address: string): Asker {
  const agent = new Agent({ keepAlive: true });
  const { hostname, port } = new URL(`http://${address}`);
  const host = hostname.replace(/^\[|\]$/g, '');
  return {
    ask({ verb, process, name = '', body }) {
      const path = `/${verb}?${new URLSearchParams({ process: String(process), name }).toString()}`;
      return new Promise((resolve, reject) => {
        const timeout = (holdSeconds + 10) * 1000;
        const request = httpRequest({ host, port, path, method: 'POST', agent, timeout }, (response) => {
          bodyOf(response).then((bytes) => resolve(answerOf(response.statusCode, bytes)), reject);
        });
        request.on('timeout', () => request.destroy(new Error('no answer')));
        request.on('error', reject);
        request.end(body);
      });
    },
    close: () => agent.destroy(),
  };
}

function answerOf(code: number | undefined, bytes: Buffer): Answer {
  const status = statuses[String(code)] as Answer['status'] | undefined;
  if (status === undefined) throw new Error(`HTTP ${code}: something else listens there`);
  return status === 'ok' ? { status, body: bytes } : (JSON.parse(bytes.toString('utf8')) as Answer);
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
