// Training runs as a person starts them: `bv train` in a process of its own.

import { type ChildProcess, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { metricsFile, readMetrics } from '../../core/train/metrics';

const root = path.join(__dirname, '..', '..');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly output: string;
}

interface Started {
  readonly process: ChildProcess;
  /** Resolves when the process is gone. */
  readonly ended: Promise<Ended>;
}

/** Starts `bv train`. */
export function startTraining(config: string, workdir: string, ...more: string[]): Started {
  return start(['bin/bv.js', 'train', '--config', config, '--workdir', workdir, ...more]);
}

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Started {
  const child = spawn(process.execPath, args, { cwd: root, env: { ...process.env, CI: 'true', ...env } });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<Ended>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, output }));
  });
  return { process: child, ended };
}

export async function trainToEnd(config: string, workdir: string, ...more: string[]): Promise<Ended> {
  return startTraining(config, workdir, ...more).ended;
}

/** A run that gets a signal when it has written the checkpoint of a step: always there, however busy the machine is. */
export function trainUntil(
  { step, signal }: { readonly step: number; readonly signal: NodeJS.Signals },
  config: string,
  workdir: string,
  ...more: string[]
): Promise<Ended> {
  const required = ['--require', path.join(root, 'test', 'support', 'end-at-checkpoint.js')];
  const args = [...required, 'bin/bv.js', 'train', '--config', config, '--workdir', workdir, ...more];
  return start(args, { END_AT: String(step), END_BY: signal }).ended;
}

/** The digest of all arrays of the newest checkpoint. */
export function finalDigest(workdir: string): { step: number; sha256: string } {
  const folder = path.join(workdir, 'checkpoints');
  // One that a killed run was writing isn't there yet.
  const newest = fs.readdirSync(folder).filter((name) => /^\d+$/.test(name)).sort().at(-1) as string; // prettier-ignore
  const manifest = JSON.parse(fs.readFileSync(path.join(folder, newest, 'manifest.json'), 'utf8')) as {
    step: number;
    arrays: { sha256: string };
  };
  return { step: manifest.step, sha256: manifest.arrays.sha256 };
}

/** The lines of the metrics file. */
export function metricsOf(workdir: string): Record<string, number>[] {
  return readMetrics(path.join(workdir, metricsFile)) as Record<string, number>[];
}

/** Resolves when `condition` holds, or the process is gone. */
export async function until(condition: () => boolean, child: ChildProcess): Promise<void> {
  while (!condition() && child.exitCode === null && child.signalCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
