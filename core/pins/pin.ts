// A pin: what a project's results were obtained with, in proj/NAME/pin.json. Ten steps of its config are recorded beside the
// facts, so that it is seen when the project no longer does what it did.

import { existsSync } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { describeThrown, withCause } from '../describe-error';
import { catalogue } from '../errors';
import { parseOptions } from '../options';
import { didYouMean } from '../suggest';
import { shortPath } from '../workspace/paths';

const strings = z.record(z.string(), z.string());

const pinSchema = z.strictObject({
  project: z.string(),
  version: z.string(),
  date: z.iso.date(),
  config: z.string().describe('FILE[:ARG], from the root of the workspace'),
  overrides: z.array(z.string()).readonly().default([]).describe('as on the command line: --config.lr=1e-3'),
  losses: z.array(z.number()).readonly().describe('of the first ten steps'),
  program: z.string().optional().describe('SHA-256 of the train step as StableHLO'),
  results: z.record(z.string(), z.number()).default({}).describe('the last metrics of a whole run'),
  provenance: z.strictObject({
    core: z.string(),
    node: z.string(),
    runtime: z.string(),
    plugins: strings,
    applied: z.array(z.string()).readonly(),
    commit: z.string(),
    lock: z.string().optional(),
    files: strings.describe('SHA-256 of every source file that was loaded'),
  }),
});
export type Pin = z.output<typeof pinSchema>;

export const pinnedSteps = 10;

const errors = catalogue('pin', {
  unknown: (v: { name: string; known: readonly string[] }) => ({
    what: `There is no pin of "${v.name}".${didYouMean(v.name, v.known)}`,
    fix: `bv pin ${v.name} --config FILE`,
  }),
  damaged: (v: { file: string; message: string }) => ({
    what: `The pin ${v.file} can't be read: ${v.message}`,
    fix: 'restore it from version control, or pin the project again.',
  }),
});

export function pinFile(root: string, project: string): string {
  return path.join(root, 'proj', project, 'pin.json');
}

/** Names of the workspace's pinned projects. */
export async function pinnedProjects(root: string): Promise<string[]> {
  const found: string[] = [];
  const folders = await fs.readdir(path.join(root, 'proj'), { withFileTypes: true }).catch(() => []);
  for (const { name } of folders) {
    if (existsSync(pinFile(root, name))) found.push(name);
  }
  return found.sort();
}

export async function readPin(root: string, project: string): Promise<Pin> {
  const file = pinFile(root, project);
  let text: string;
  try {
    text = await fs.readFile(file, 'utf8');
  } catch {
    throw errors.unknown({ name: project, known: await pinnedProjects(root) });
  }
  try {
    return parseOptions(pinSchema, JSON.parse(text) as unknown, '', shortPath(file));
  } catch (error) {
    throw withCause(errors.damaged({ file: shortPath(file), message: describeThrown(error) }), error);
  }
}

export async function writePin(root: string, pin: Pin): Promise<string> {
  const file = pinFile(root, pin.project);
  await fs.writeFile(file, `${JSON.stringify(pin, null, 2)}\n`);
  return file;
}
