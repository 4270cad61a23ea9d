import pc from 'picocolors';
import { signatureOf } from '../../call-string';
import { configSchema } from '../../config/schema';
import { catalogue, ExitCode } from '../../errors';
import { type ExtensionPoint, extensionPoints, type Registered } from '../../extensions';
import { type HookName, hookTable } from '../../hooks';
import type { Plugin } from '../../plugin';
import { type SchemaNode, typeText, viewOf } from '../../schema-view';
import { didYouMean } from '../../suggest';
import { openSession } from '../../workspace/session';
import type { CommandInput, OptionSpecs } from '../command';
import type { describeArguments } from '../options';
import { heading, print, printTable } from '../print';

const errors = catalogue('cli', {
  unknownName: (v: { name: string; known: readonly string[] }) => ({
    what: `There is nothing called "${v.name}".${didYouMean(v.name, v.known)}`,
    fix: '`bv list` shows all names.',
  }),
  ambiguous: (v: { name: string; choices: readonly string[] }) => ({
    what: `"${v.name}" is the name of several things.`,
    fix: `one of: ${v.choices.map((choice) => `bv describe ${choice}`).join(', ')}.`,
  }),
});

/** What a name before the colon stands for. */
const pointsByPrefix = new Map<string, ExtensionPoint>(
  extensionPoints.flatMap(({ point, plural }) => [
    [point, point],
    [plural, point],
    [plural.replace(/s$/, ''), point],
  ]),
);

/** Points whose implementations are written as calls: `resize(224)`. */
const calls: readonly ExtensionPoint[] = ['pp', 'sharding', 'tokenizer'];

interface Subject {
  /** With its kind: `pp:resize`. */
  readonly id: string;
  show(): void;
}

export async function describe({
  args,
}: CommandInput<OptionSpecs, typeof describeArguments>): Promise<ExitCode> {
  const { name } = args;
  const { registry, plugins } = openSession(process.cwd(), { lenient: true });
  const subjects = new Map<string, Subject[]>();
  const add = (key: string, subject: Subject) => subjects.set(key, [...(subjects.get(key) ?? []), subject]);
  for (const entry of registry.list()) {
    const subject = { id: `${entry.point}:${entry.name}`, show: () => showImplementation(entry) };
    add(entry.name, subject);
    for (const [prefix, point] of pointsByPrefix)
      if (point === entry.point) add(`${prefix}:${entry.name}`, subject);
  }
  for (const { plugin } of plugins) {
    const subject = { id: `plugin:${plugin.name}`, show: () => showPlugin(plugin) };
    add(subject.id, subject);
    // A plugin that only registers what has its own name needs no page beside that.
    if (plugin.options || !subjects.has(plugin.name)) add(plugin.name, subject);
  }
  for (const hook of Object.keys(hookTable) as HookName[]) {
    const subject = { id: `hook:${hook}`, show: () => showHook(hook) };
    add(subject.id, subject);
    if (hook !== 'config') add(hook, subject);
  }
  add('config', { id: 'config', show: showConfig });

  const found = [...new Map((subjects.get(name) ?? []).map((subject) => [subject.id, subject])).values()];
  if (found.length === 0) throw errors.unknownName({ name, known: [...subjects.keys()] });
  if (found.length > 1) throw errors.ambiguous({ name, choices: found.map(({ id }) => id) });
  (found[0] as Subject).show();
  return ExitCode.ok;
}

function showImplementation({ point, name, plugin, implementation }: Registered): void {
  print(`${pc.bold(name)}  ${pc.dim(`${point} of the plugin ${plugin}`)}`);
  if (calls.includes(point)) print(signatureOf(name, implementation));
  print(`\n${implementation.doc}`);
  showOptions(viewOf(implementation.options));
}

function showPlugin(plugin: Plugin): void {
  print(
    `${pc.bold(plugin.name)} ${plugin.version}  ${pc.dim(`plugin for core ${plugin.core}`)}\n\n${plugin.doc}`,
  );
  if (!plugin.options) return;
  print(`\nIt takes part in runs whose config has the key "${plugin.name}":`);
  showOptions(viewOf(plugin.options));
}

function showHook(name: HookName): void {
  const { place, args, since, doc } = hookTable[name];
  print(`${pc.bold(name)}(${args.join(', ')})  ${pc.dim(`hook, ${place}, since ${since}`)}\n\n${doc}`);
}

function showConfig(): void {
  print(`${pc.bold('config')}  ${pc.dim('what a config module returns; see docs/running.md')}`);
  showOptions(viewOf(configSchema));
}

function showOptions(view: SchemaNode): void {
  const entries = Object.entries(view.properties ?? {});
  heading(entries.length === 0 ? 'No options' : 'Options');
  if (entries.length === 0) return;
  const rows = entries.map(([key, node]) => {
    const required = view.required?.includes(key) && node.default === undefined;
    const fallback = node.default === undefined ? (required ? 'required' : '') : JSON.stringify(node.default);
    return [key, typeText(node), fallback, node.description ?? ''];
  });
  printTable(['option', 'type', 'default', 'what it is'], rows);
}
