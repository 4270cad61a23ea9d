// `bv` as a person runs it: a process of its own in a folder of its own.

import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { temporaryFolder } from './temporary';

export const root = path.join(__dirname, '..', '..');
export const fixtures = path.join(root, 'test', 'fixtures');

export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface BvOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** Runs a command to its end. */
export function bv(args: readonly string[], { cwd = root, env = {} }: BvOptions = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path.join(root, 'bin', 'bv.js'), ...args], {
      cwd,
      // No colours, and nothing fetched behind a test's back.
      env: {
        ...process.env,
        CI: undefined,
        FORCE_COLOR: undefined,
        NO_COLOR: '1',
        BV_NO_INSTALL: '1',
        ...env,
      },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** A new folder with these files. */
export function project(files: Readonly<Record<string, string>>): string {
  const folder = fs.realpathSync(temporaryFolder());
  write(folder, files);
  return folder;
}

/** Writes these files, and the folders that they need. */
export function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  }
}

/** A config that runs in a second; `change` replaces fields, and is what an error test is about. */
export function tinyConfig(change: Readonly<Record<string, unknown>> = {}): string {
  const config = {
    input: {
      data: { name: 'mnist', split: 'train' },
      pp: "decode|value_range(-1, 1)|onehot(10)|keep('image', 'labels')",
      batch_size: 16,
    },
    total_steps: 2,
    num_classes: 10,
    model_name: 'vit',
    model: { patch_size: [14, 14], width: 16, depth: 1, mlp_dim: 32, num_heads: 2, pool_type: 'gap' },
    loss: 'softmax_xent',
    optax_name: 'scale_by_adam',
    lr: 1e-3,
    schedule: { decay_type: 'cosine', warmup_steps: 1 },
    log_training_steps: 1,
    ...change,
  };
  return `import { defineConfig } from 'big-vision-ts/core';\nexport default defineConfig(() => (${JSON.stringify(config, null, 2)}));\n`;
}

/** Expects what every mistake of a user gets: exit code 2, one error with a hint, no stack trace. */
export function expectUserError({ code, stderr }: Finished, message: RegExp): void {
  expect(stderr).toMatch(message);
  expect(stderr.match(/^error: /gm)).toHaveLength(1);
  expect(stderr.match(/^try: ./gm)).toHaveLength(1);
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(code).toBe(2);
}
