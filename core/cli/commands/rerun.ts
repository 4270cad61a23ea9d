// `bv rerun`: a run again, from what its workdir says that it was made with.

import fs from 'node:fs';
import path from 'node:path';
import { catalogue, type ExitCode } from '../../errors';
import { changesSince, type Provenance } from '../../provenance';
import { configFile, provenanceFile } from '../../train/run';
import { shortPath } from '../../workspace/paths';
import { openSession } from '../../workspace/session';
import type { CommandInput } from '../command';
import { newWorkdir } from '../experiment';
import type { rerunArguments, rerunOptions } from '../options';
import { trainHere } from './train';

const errors = catalogue('rerun', {
  notARun: (v: { workdir: string; file: string }) => ({
    what: `${v.workdir} isn't the workdir of a run: it has no ${v.file}.`,
    fix: 'give the folder that `bv train` printed, or that was given with --workdir.',
  }),
  changed: (v: { workdir: string; changes: readonly string[]; commit?: string }) => ({
    what: `${v.workdir} was made with something else: ${v.changes.slice(0, 5).join(', ')}${v.changes.length > 5 ? `, and ${v.changes.length - 5} more` : ''}.`,
    fix:
      (v.commit === undefined
        ? ''
        : `git worktree add --detach FOLDER ${v.commit.slice(0, 10)}, npm ci, and run it there; `) +
      '--anyway runs it with what is here.',
  }),
});

export async function rerun({
  args,
  options: { workdir, anyway, runtime },
  overrides,
  debug,
}: CommandInput<typeof rerunOptions, typeof rerunArguments>): Promise<ExitCode> {
  const from = path.resolve(args.workdir);
  const read = (file: string): unknown => {
    try {
      return JSON.parse(fs.readFileSync(path.join(from, file), 'utf8'));
    } catch {
      throw errors.notARun({ workdir: shortPath(from), file });
    }
  };
  read(configFile);
  const was = read(provenanceFile) as Provenance;
  const session = openSession(process.cwd());
  const { versions, files } = await changesSince(was, session);
  const changes = [...versions, ...files].map(({ what }) => what);
  if (changes.length > 0 && !anyway) {
    throw errors.changed({ workdir: shortPath(from), changes, commit: was.commit });
  }
  const config = path.join(from, configFile);
  const options = {
    config,
    workdir: workdir ?? newWorkdir(path.basename(from)),
    runtime,
    devices: undefined,
    pinned: undefined,
    cleanup: false,
    processes: undefined,
    process: undefined,
    coordinator: undefined,
  };
  return trainHere({ options, args: {}, overrides, debug });
}
