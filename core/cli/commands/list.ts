import { catalogue, ExitCode } from '../../errors';
import { extensionPoints } from '../../extensions';
import { hookTable } from '../../hooks';
import { didYouMean } from '../../suggest';
import { openSession, type Session } from '../../workspace/session';
import type { CommandInput, OptionSpecs } from '../command';
import type { listArguments } from '../options';
import { firstSentence, print, printTable } from '../print';

const kinds = [...extensionPoints.map(({ plural }) => plural), 'plugins', 'hooks'];

const errors = catalogue('cli', {
  unknownKind: (v: { what: string }) => ({
    what: `There are no "${v.what}" to list.${didYouMean(v.what, kinds)}`,
    fix: `one of: ${kinds.join(', ')}.`,
  }),
});

export async function list({ args }: CommandInput<OptionSpecs, typeof listArguments>): Promise<ExitCode> {
  const { what } = args;
  if (what !== undefined && !kinds.includes(what)) throw errors.unknownKind({ what });
  const session = openSession(process.cwd(), { lenient: true });
  if (what === undefined) listCounts(session);
  else if (what === 'plugins') listPlugins(session);
  else if (what === 'hooks') listHooks();
  else listImplementations(session, what);
  return ExitCode.ok;
}

function listCounts({ registry, plugins }: Session): void {
  const rows = extensionPoints.map(({ point, plural }) => {
    const names = registry.list(point).map(({ name }) => name);
    return [plural, String(names.length), names.slice(0, 6).join(', ') + (names.length > 6 ? ', ...' : '')];
  });
  rows.push([
    'plugins',
    String(plugins.length),
    plugins
      .map(({ plugin }) => plugin.name)
      .slice(0, 6)
      .join(', '),
  ]);
  rows.push(['hooks', String(Object.keys(hookTable).length), Object.keys(hookTable).slice(0, 6).join(', ')]);
  printTable(['what', 'how many', 'names'], rows);
  print('\n`bv list WHAT` lists one kind, `bv describe NAME` shows the options of one of them.');
}

function listImplementations({ registry }: Session, plural: string): void {
  const { point } = extensionPoints.find(
    (entry) => entry.plural === plural,
  ) as (typeof extensionPoints)[number];
  const entries = registry.list(point);
  printTable(
    ['name', 'plugin', 'what it is'],
    entries.map(({ name, plugin, implementation }) => [name, plugin, firstSentence(implementation.doc)]),
  );
}

function listPlugins({ plugins, failed }: Session): void {
  printTable(
    ['plugin', 'version', 'from', 'what it is'],
    plugins.map(({ plugin, origin }) => [plugin.name, plugin.version, origin, plugin.doc]),
  );
  for (const { error } of failed) print(`\n${error.what}\nTry: ${error.fix}`);
}

function listHooks(): void {
  printTable(
    ['hook', 'runs', 'arguments', 'when, and what a tap returns'],
    Object.entries(hookTable).map(([name, { place, args, doc }]) => [name, place, args.join(', '), doc]),
  );
}
