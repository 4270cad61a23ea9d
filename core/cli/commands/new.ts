// `bv new`: renders a folder of templates/ into the workspace.

import fs from 'node:fs';
import path from 'node:path';
import type * as nodePlop from 'node-plop';
import { catalogue, ExitCode } from '../../errors';
import { didYouMean } from '../../suggest';
import { coreVersion, packageRoot } from '../../workspace/paths';
import { findWorkspace } from '../../workspace/workspace';
import type { CommandInput, OptionSpecs } from '../command';
import type { newArguments } from '../options';
import { print } from '../print';

/** Where each kind goes, from the workspace's root: plugins are found there without being named anywhere. */
const folders = {
  project: 'proj',
  model: 'plugins',
  loss: 'plugins',
  op: 'plugins',
  evaluator: 'plugins',
  optimizer: 'plugins',
  'data-source': 'plugins',
  config: 'configs',
} as const;
const kinds = Object.keys(folders);

const errors = catalogue('new', {
  kind: (v: { kind: string }) => ({
    what: `There is no template for "${v.kind}".${didYouMean(v.kind, kinds)}`,
    fix: `one of: ${kinds.join(', ')}.`,
  }),
  name: (v: { name: string }) => ({
    what: `"${v.name}" can't be the name of a plugin or config.`,
    fix: 'begin with a lower-case letter, go on with lower-case letters, digits and dashes: sharp-loss.',
  }),
  exists: (v: { place: string }) => ({
    what: `${v.place} is already there; nothing was written.`,
    fix: 'choose another name, or delete it.',
  }),
  write: (v: { place: string; reason: string }) => ({
    what: `Can't write ${v.place}: ${v.reason}`,
    fix: 'check that the folder is yours and that the disk has room.',
    exitCode: ExitCode.storage,
  }),
});

export async function newFromTemplate({
  args: { kind, name },
}: CommandInput<OptionSpecs, typeof newArguments>): Promise<ExitCode> {
  if (!kinds.includes(kind)) throw errors.kind({ kind });
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) throw errors.name({ name });
  const { root } = findWorkspace(process.cwd());
  const isConfig = kind === 'config';
  const folder = isConfig ? folders.config : `${folders[kind as keyof typeof folders]}/${name}`;
  const snake = name.replaceAll('-', '_');
  const config = isConfig ? `${folder}/${snake}.ts` : `${folder}/config.ts`;
  const place = isConfig ? config : folder;
  if (fs.existsSync(path.join(root, place))) throw errors.exists({ place });

  // It brings a prompt library, which other commands needn't wait for.
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  const { default: startPlop } = require('node-plop') as typeof nodePlop;
  const plop = await startPlop('', { destBasePath: root, force: false });
  const add = (template: string, destination: string) => ({
    type: 'addMany' as const,
    base: path.join(packageRoot, 'templates', template),
    templateFiles: path.join(packageRoot, 'templates', template, '*.hbs'),
    destination,
  });
  const actions = isConfig
    ? [
        {
          type: 'add' as const,
          templateFile: path.join(packageRoot, 'templates', 'config', 'config.ts.hbs'),
          path: config,
        },
      ]
    : [add('plugin', folder), add(kind, folder)];
  const { failures } = await plop
    .setGenerator(kind, { prompts: [], actions })
    .runActions({ name, folder, config, coreVersion });
  const [failure] = failures;
  if (failure) throw errors.write({ place, reason: failure.error });

  const written = isConfig
    ? [config]
    : fs
        .readdirSync(path.join(root, folder))
        .sort()
        .map((file) => `${folder}/${file}`);
  for (const file of written) print(file);
  print(`\nTry it:\n  bv explain ${config} --only config\n  bv train --config ${config} --no-workdir`);
  if (!isConfig) print(`  npm test --prefix ${folder}`);
  return ExitCode.ok;
}
