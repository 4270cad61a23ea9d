// Real processes for tests: a script of test/fixtures, or `bv`.

import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { type AddressInfo, createServer } from 'node:net';
import * as path from 'node:path';
import type { Readable } from 'node:stream';

const root = path.join(__dirname, '..', '..');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function startScript(script: string, args: readonly string[]): Promise<Ended> {
  const register = ['--require', path.join(root, 'core', 'register.js')];
  const all = [...register, path.join(root, 'test', 'fixtures', script), ...args];
  return endOf(spawn(process.execPath, all, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] }));
}

/** Starts `bv`; `child` is there to be sent signals. */
export function startBv(
  args: readonly string[],
  cwd: string,
): { child: ChildProcess; ended: Promise<Ended> } {
  const env = { ...process.env, NO_COLOR: '1', BV_NO_INSTALL: '1' };
  const stdio: ['ignore', 'pipe', 'pipe'] = ['ignore', 'pipe', 'pipe'];
  const child = spawn(process.execPath, [path.join(root, 'bin', 'bv.js'), ...args], { cwd, env, stdio });
  return { child, ended: endOf(child) };
}

function endOf(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve) =>
    child.on('close', (code, signal) => resolve({ code, signal, stdout, stderr })),
  );
}

/** Where a coordinator can listen. */
export async function freeAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `localhost:${port}`;
}
