// Real processes for tests: a script of test/fixtures, or `bv`.

import { spawn } from 'node:child_process';
import { type AddressInfo, createServer } from 'node:net';
import * as path from 'node:path';

const root = path.join(__dirname, '..', '..');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export function startScript(script: string, args: readonly string[]): Promise<Ended> {
  const register = ['--require', path.join(root, 'core', 'register.js')];
  return startNode([...register, path.join(root, 'test', 'fixtures', script), ...args]);
}

export const startBv = (args: readonly string[], cwd = root) =>
  startNode([path.join(root, 'bin', 'bv.js'), ...args], cwd);

function startNode(args: readonly string[], cwd = root): Promise<Ended> {
  const child = spawn(process.execPath, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
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
