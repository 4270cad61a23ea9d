// `bv pin`: records what a project's results were obtained with, tells what has changed since, and gets that state back.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { catalogue, ExitCode } from '../../errors';
import { type Pin, pinFile, pinnedProjects, pinnedSteps, readPin, writePin } from '../../pins/pin';
import { changesSince, git, provenanceOf, sha256 } from '../../provenance';
import type * as testing from '../../testing';
import { metricsFile, readMetrics } from '../../train/metrics';
import { didYouMean } from '../../suggest';
import { packageName, shortPath } from '../../workspace/paths';
import { openSession, type Session } from '../../workspace/session';
import type { CommandInput } from '../command';
import type { Override } from '../../config/overrides';
import type { Config } from '../../config/schema';
import { newWorkdir, openExperiment } from '../experiment';
import type { pinArguments, pinOptions, trainOptions } from '../options';
import { heading, print } from '../print';

const errors = catalogue('pin', {
  noProject: (v: { name: string; known: readonly string[] }) => ({
    what: `There is no project "${v.name}" in proj/.${didYouMean(v.name, v.known)}`,
    fix: `one of: ${v.known.join(', ') || '(none)'}; \`bv new project ${v.name}\` starts one.`,
  }),
  noConfig: (v: { name: string }) => ({
    what: `"${v.name}" is pinned for the first time: which config does it stand by?`,
    fix: `bv pin ${v.name} --config configs/proj/${v.name}/FILE.ts`,
  }),
  noRepository: (v: { root: string }) => ({
    what: `${v.root} isn't in a git repository, and a pin names a commit.`,
    fix: 'git init && git add . && git commit',
  }),
  notCommitted: (v: { files: readonly string[] }) => ({
    what: `Not committed, so that nobody could get them back: ${v.files.join(', ')}.`,
    fix: 'commit, then pin.',
  }),
  notCheckedOut: (v: { name: string; changed: string }) => ({
    what: `This isn't what "${v.name}" was pinned with: ${v.changed}.`,
    fix: `bv pin checkout ${v.name}, then the same command again; \`bv pin check ${v.name}\` lists what differs.`,
  }),
  failed: (v: { command: string; code: number | null }) => ({
    what: `\`${v.command}\` failed with exit code ${v.code}.`,
    fix: 'its messages are above.',
    exitCode: ExitCode.failure,
  }),
});

export async function pin({
  args: { what, name },
  options,
  overrides,
}: CommandInput<typeof pinOptions, typeof pinArguments>): Promise<ExitCode> {
  const session = openSession(process.cwd());
  const { root } = session.workspace;
  switch (what) {
    case 'check':
      return check(session, name === undefined ? await pinnedProjects(root) : [name]);
    case 'table':
      return table(root);
    case 'checkout':
      print(await checkout(root, await readPin(root, name ?? '')));
      return ExitCode.ok;
    default: {
      const given = overrides.map(({ path, value }) => `--config.${path}=${value}`);
      return make(session, what, { config: options.config, overrides: given, results: options.results });
    }
  }
}

// ---- Pinning -----------------------------------------------------------------------------------------------------------

interface Wanted {
  readonly config?: string;
  readonly overrides: readonly string[];
  readonly results?: string;
}

async function make(session: Session, project: string, wanted: Wanted): Promise<ExitCode> {
  const { root } = session.workspace;
  const found = session.plugins.find(({ file }) => path.dirname(file) === path.join(root, 'proj', project));
  if (!found) {
    const known = session.plugins
      .map(({ file }) => path.relative(path.join(root, 'proj'), path.dirname(file)))
      .filter((folder) => !folder.includes('..'));
    throw errors.noProject({ name: project, known });
  }
  const before = fs.existsSync(pinFile(root, project)) ? await readPin(root, project) : undefined;
  const config = wanted.config ?? before?.config;
  if (config === undefined) throw errors.noConfig({ name: project });
  const overrides = wanted.config === undefined ? (before?.overrides ?? []) : wanted.overrides;

  const steps = await tenSteps(root, config, overrides);
  const { commit, ...facts } = await provenanceOf(session, steps.applied, steps.runtime);
  if (commit === undefined) throw errors.noRepository({ root: shortPath(root) });
  const dirty = await git(
    root,
    'status',
    '--porcelain',
    '--untracked-files=all',
    '--',
    ...Object.keys(facts.files).filter((file) => !file.startsWith(`${packageName}/`)),
  );
  if (dirty) throw errors.notCommitted({ files: dirty.split('\n').map((line) => line.slice(3)) });
  const results =
    wanted.results === undefined ? (before?.results ?? {}) : lastMetrics(wanted.results, steps.config);
  const made: Pin = {
    project,
    version: found.plugin.version,
    date: new Date().toISOString().slice(0, 10),
    config,
    overrides,
    losses: steps.losses,
    program: steps.program,
    results,
    provenance: { ...facts, commit },
  };
  print(
    `${shortPath(await writePin(root, made))}: ${project} ${made.version} at ${commit.slice(0, 10)}, ${Object.keys(facts.files).length} files`,
  );
  return ExitCode.ok;
}

/** As it is written on the command line and in a pin. */
function parseOverride(text: string): Override {
  const [, key = '', value = ''] = /^--config\.([^=]+)=(.*)$/s.exec(text) ?? [];
  return { path: key, value };
}

/** The first steps of a config on this machine: losses, and the step's program. */
export async function tenSteps(root: string, spec: string, overrides: readonly string[]) {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- brings the tensor library
  const { openTestbed } = require('../../testing') as typeof testing;
  const file = path.resolve(root, spec);
  const { session, config, applied } = await openExperiment('pin', file, overrides.map(parseOverride));
  const testbed = await openTestbed(session);
  try {
    const rows = await testbed.train(config, pinnedSteps);
    const text = await testbed.programOf(config);
    return {
      losses: rows.map(({ training_loss }) => training_loss as number),
      program: text === undefined ? undefined : sha256(text),
      runtime: testbed.runtime.description,
      config,
      applied,
    };
  } finally {
    await testbed.close();
  }
}

/** What a whole run came to: the metrics that the config's header states, or else those of its evaluators. */
function lastMetrics(workdir: string, { header, evals }: Config): Record<string, number> {
  const stated = Object.keys(header?.expect ?? {});
  const measured = Object.entries(evals).map(([name, { prefix = `${name}/` }]) => prefix);
  const last = Object.assign({}, ...readMetrics(path.join(workdir, metricsFile))) as Record<string, number>;
  return Object.fromEntries(
    Object.entries(last).filter(([name]) =>
      stated.length > 0 ? stated.includes(name) : measured.some((prefix) => name.startsWith(prefix)),
    ),
  );
}

// ---- Checking ----------------------------------------------------------------------------------------------------------

async function check(session: Session, projects: readonly string[]): Promise<ExitCode> {
  let changed = false;
  for (const project of projects) {
    const made = await readPin(session.workspace.root, project);
    const { versions, files } = await changesSince(made.provenance, session);
    heading(`${project} ${made.version}, pinned ${made.date} at ${made.provenance.commit.slice(0, 10)}`);
    for (const { what, was, is } of versions) print(`  ${what}: ${short(was)} -> ${short(is)}`);
    for (const { what, is } of files) print(`  ${is === 'none' ? 'gone' : 'changed'}: ${what}`);
    if (versions.length + files.length === 0) print('  nothing has changed');
    else changed = true;
  }
  return changed ? ExitCode.failure : ExitCode.ok;
}

const short = (text: string) => (/^[0-9a-f]{64}$/.test(text) ? text.slice(0, 10) : text);

/** Markdown, for the README. */
async function table(root: string): Promise<ExitCode> {
  const pins = await Promise.all((await pinnedProjects(root)).map((project) => readPin(root, project)));
  const rows = pins.map(({ project, version, provenance, date, config, results }) => {
    const numbers = Object.entries(results).map(
      ([metric, value]) => `${metric} ${Number(value.toPrecision(4))}`,
    );
    return `| ${project} | ${version} | \`${provenance.commit.slice(0, 10)}\` (${date}) | \`${config}\` | ${numbers.join(', ')} |`;
  });
  const head = ['| project | version | pinned at | config | results |', '|---|---|---|---|---|'];
  print([...head, ...rows].join('\n'));
  return ExitCode.ok;
}

// ---- Getting it back -----------------------------------------------------------------------------------------------------

interface Place {
  readonly worktree: string;
  /** The workspace in it: a repository may hold it in a folder. */
  readonly workspace: string;
}

async function placeOf(root: string, { project, provenance: { commit } }: Pin): Promise<Place> {
  const worktree = path.join(root, '.cache', 'pins', `${project}-${commit.slice(0, 10)}`);
  const below = (await git(root, 'rev-parse', '--show-prefix')) ?? '';
  return { worktree, workspace: path.join(worktree, below) };
}

/** A git worktree of the pinned commit with its own dependencies; done once. */
async function checkout(root: string, made: Pin): Promise<string> {
  const { worktree, workspace } = await placeOf(root, made);
  if (!fs.existsSync(worktree)) {
    await runHere('git', ['-C', root, 'worktree', 'add', '--detach', worktree, made.provenance.commit], root);
  }
  if (!fs.existsSync(installed(workspace)))
    await runHere('npm', ['ci', '--no-audit', '--no-fund'], workspace);
  return shortPath(workspace);
}

/** npm writes it when it is done. */
const installed = (folder: string) => path.join(folder, 'node_modules', '.package-lock.json');

/**
 * Trains as it was pinned: here if nothing has changed, otherwise in the worktree. The pin's config and overrides are the
 * ones to run unless a config is given.
 */
export async function trainPinned(
  project: string,
  input: CommandInput<typeof trainOptions>,
  trainHere: (input: CommandInput<typeof trainOptions>) => Promise<ExitCode>,
): Promise<ExitCode> {
  const session = openSession(process.cwd());
  const { root } = session.workspace;
  const made = await readPin(root, project);
  const { pinned: _, workdir, cleanup, config = made.config, ...others } = input.options;
  const overrides =
    input.options.config === undefined
      ? [...made.overrides.map(parseOverride), ...input.overrides]
      : input.overrides;

  const { versions, files } = await changesSince(made.provenance, session);
  const changes = [...versions, ...files].map(({ what }) => what).filter((what) => what !== 'node');
  if (changes.length === 0) return trainHere({ ...input, options: { ...input.options, config }, overrides });

  const { workspace } = await placeOf(root, made);
  if (!fs.existsSync(installed(workspace))) {
    const more = changes.length > 3 ? `, and ${changes.length - 3} more` : '';
    throw errors.notCheckedOut({ name: project, changed: changes.slice(0, 3).join(', ') + more });
  }
  const own = path.join(workspace, 'bin', 'bv.js');
  const bin = fs.existsSync(own) ? own : path.join(workspace, 'node_modules', packageName, 'bin', 'bv.js');
  const args = ['train', '--config', config];
  // The worktree's own folder would be an odd place for results.
  if (workdir === false) args.push('--no-workdir');
  else args.push('--workdir', workdir === undefined ? newWorkdir(project) : path.resolve(workdir));
  for (const [option, value] of Object.entries(others)) {
    if (value !== undefined) args.push(`--${option}`, String(value));
  }
  if (cleanup) args.push('--cleanup');
  for (const { path: key, value } of overrides) args.push(`--config.${key}=${value}`);
  return (await spawnHere(process.execPath, [bin, ...args], workspace)) as ExitCode;
}

/** What is printed goes to the terminal: it is someone's long work. */
function spawnHere(command: string, args: readonly string[], cwd: string): Promise<number> {
  const child = spawn(command, args, { cwd, stdio: ['inherit', 2, 2] });
  // The child decides what ends it: a run writes a checkpoint first. A terminal sends its ^C to both.
  const toChild = (signal: NodeJS.Signals) => child.kill(signal);
  const wait = () => {};
  process.on('SIGTERM', toChild).on('SIGINT', wait);
  return new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? ExitCode.failure));
  }).finally(() => process.off('SIGTERM', toChild).off('SIGINT', wait));
}

async function runHere(command: string, args: readonly string[], cwd: string): Promise<void> {
  const code = await spawnHere(command, args, cwd);
  if (code !== 0) throw errors.failed({ command: [command, ...args].join(' '), code });
}
