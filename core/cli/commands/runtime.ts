import { catalogue, ExitCode } from '../../errors';
import { didYouMean } from '../../suggest';
import { shortPath } from '../../workspace/paths';
import { openSession } from '../../workspace/session';
import type { CommandInput, OptionSpecs } from '../command';
import type { installArguments } from '../options';
import { firstSentence, print, printTable } from '../print';

const errors = catalogue('cli', {
  unknownInstaller: (v: { name: string; known: readonly string[] }) => ({
    what: `There is nothing called "${v.name}" to install.${didYouMean(v.name, v.known)}`,
    fix: `one of: ${v.known.join(', ')}.`,
  }),
});

export async function installRuntime({
  args,
}: CommandInput<OptionSpecs, typeof installArguments>): Promise<ExitCode> {
  const { name } = args;
  const { registry, container } = openSession(process.cwd());
  const known = registry.list('installer').map((entry) => entry.name);
  if (!known.includes(name)) throw errors.unknownInstaller({ name, known });
  const installer = registry.create(container, 'installer', name, {}, 'installer');
  await installer.install(print);
  const now = installer.installed();
  if (now) print(`${name} ${now.version}: ${shortPath(now.file)}`);
  return ExitCode.ok;
}

export async function listRuntimes(): Promise<ExitCode> {
  const { registry, container } = openSession(process.cwd());
  const rows = registry.list('installer').map(({ name, implementation }) => {
    const installer = registry.create(container, 'installer', name, {}, 'installer');
    const now = installer.installed();
    const state = now ? `${now.version}, ${shortPath(now.file)}` : `bv runtime install ${name}`;
    return [name, installer.runtime, state, firstSentence(implementation.doc)];
  });
  printTable(['name', 'runtime', 'installed', 'what it is'], rows);
  return ExitCode.ok;
}
