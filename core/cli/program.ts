// The table of commands as a commander program.

import { Command, CommanderError, Option } from 'commander';
import type { Override } from '../config/overrides';
import { toNumber } from '../config/args';
import { catalogue, ExitCode } from '../errors';
import { didYouMean } from '../suggest';
import { coreVersion } from '../workspace/paths';
import type { CommandInput, CommandSpec, OptionSpec } from './command';
import { commands, groups } from './commands';

const errors = catalogue('cli', {
  unknownCommand: (v: { name: string; known: readonly string[] }) => ({
    what: `There is no command "${v.name}".${didYouMean(v.name, v.known)}`,
    fix: `one of: ${v.known.join(', ')}; \`bv --help\` says what they do.`,
  }),
  unknownOption: (v: { option: string; command: string; known: readonly string[] }) => ({
    what: `\`bv ${v.command}\` has no option ${v.option}.${didYouMean(v.option, v.known)}`,
    fix: `\`bv ${v.command} --help\` lists its options.`,
  }),
  noOverrides: (v: { command: string; path: string }) => ({
    what: `\`bv ${v.command}\` takes no config, so there is nothing to override with --config.${v.path}.`,
    fix: 'leave the override out.',
  }),
  count: (v: { option: string; value: string }) => ({
    what: `${v.option} is "${v.value}", expected a whole number from 1.`,
    fix: `write ${v.option} N.`,
  }),
  positionalConfig: (v: { command: string; config: string }) => ({
    what: `\`bv ${v.command}\` takes its config as an option, and got "${v.config}" without one.`,
    fix: `bv ${v.command} --config ${v.config}`,
  }),
  usage: (v: { command: string; message: string; example: string | undefined }) => ({
    what: `${v.message}.`,
    fix: `${v.example === undefined ? '' : `${v.example}; `}\`bv ${v.command} --help\` shows how it is used.`,
  }),
});

const debugDoc = 'show stack traces';

/** Runs the command that the arguments name. */
export async function runProgram(argv: readonly string[], overrides: readonly Override[]): Promise<ExitCode> {
  let code: ExitCode = ExitCode.ok;
  const debug = argv.includes('--debug');
  const program = createProgram((spec, args, options) =>
    runCommand(spec, args, options, overrides, debug).then((result) => void (code = result)),
  );
  try {
    // A group alone asks what is in it, as `bv` alone does.
    const asks = argv.length === 0 || (argv.length === 1 && (argv[0] as string) in groups);
    await program.parseAsync(asks ? [...argv, '--help'] : [...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (!error.code.startsWith('commander.help') && error.code !== 'commander.version')
      throw usageError(error, argv);
  }
  return code;
}

type Action = (
  spec: CommandSpec,
  args: readonly string[],
  options: Readonly<Record<string, unknown>>,
) => Promise<void>;

function createProgram(act: Action): Command {
  const program = new Command('bv')
    .description('Train large vision and image-text models in TypeScript, on XLA.')
    .version(coreVersion, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .showSuggestionAfterError(false)
    .addHelpText(
      'after',
      help([
        ['npx bv doctor', 'is everything there that is needed?'],
        ['npx bv train --config configs/vit_mnist.ts', 'train a small ViT on digits'],
        ['npx bv train --help', 'each command explains itself'],
      ]),
    )
    .addOption(new Option('--debug', debugDoc));
  const parents = new Map<string, Command>();
  for (const [name, summary] of Object.entries(groups)) {
    parents.set(
      name,
      program.command(name).description(summary).helpOption('-h, --help', 'show help').helpCommand(false),
    );
  }
  for (const spec of commands) {
    const [group, name] = spec.name.includes(' ')
      ? (spec.name.split(' ') as [string, string])
      : [undefined, spec.name];
    addCommand(group === undefined ? program : (parents.get(group) as Command), name, spec, act);
  }
  return program;
}

function addCommand(parent: Command, name: string, spec: CommandSpec, act: Action): void {
  const command = parent
    .command(name)
    .summary(spec.summary)
    .description(spec.details === undefined ? spec.summary : `${spec.summary}\n\n${spec.details}`)
    .helpOption('-h, --help', 'show help')
    .addHelpText('after', help(spec.examples));
  for (const [argument, { doc, optional, many }] of Object.entries(spec.args ?? {})) {
    const name = many ? `${argument}...` : argument;
    command.argument(optional ? `[${name}]` : `<${name}>`, doc);
  }
  for (const [option, optionSpec] of Object.entries(spec.options ?? {}))
    addOption(command, option, optionSpec);
  if (spec.overrides) command.option('--config.<path>=<value>', 'override a field of the config');
  command.addOption(new Option('--debug', debugDoc));
  command.action((...given: unknown[]) => act(spec, command.args, given.at(-2) as Record<string, unknown>));
}

function addOption(command: Command, name: string, spec: OptionSpec): void {
  if (spec.kind === 'flag') command.option(`--${name}`, spec.doc);
  else command.option(`--${name} <${spec.value}>`, spec.doc);
  if (spec.kind === 'text or no') command.option(`--no-${name}`, spec.no);
}

function help(examples: CommandSpec['examples']): string {
  const lines = examples.map(([command, what]) => `  # ${what}\n  ${command}`);
  return `\nExamples:\n${lines.join('\n')}`;
}

async function runCommand(
  spec: CommandSpec,
  words: readonly string[],
  given: Readonly<Record<string, unknown>>,
  overrides: readonly Override[],
  debug: boolean,
): Promise<ExitCode> {
  const [first] = overrides;
  if (first && !spec.overrides) throw errors.noOverrides({ command: spec.name, path: first.path });
  const args = Object.fromEntries(
    Object.entries(spec.args ?? {}).map(([name, { many }], i) => [name, many ? words.slice(i) : words[i]]),
  );
  const options = Object.fromEntries(
    Object.entries(spec.options ?? {}).map(([name, option]) => [
      name,
      optionValue(name, option, given[camelCase(name)]),
    ]),
  );
  return spec.run({ args, options, overrides, debug } as CommandInput);
}

/** commander's name of an option in its values. */
const camelCase = (name: string) => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

function optionValue(name: string, spec: OptionSpec, given: unknown): unknown {
  if (spec.kind === 'flag') return given === true;
  // `--no-name` makes commander's default true where there is no value.
  if (spec.kind === 'text or no' && given === true) return undefined;
  if (spec.kind !== 'count' || given === undefined) return given;
  const value = toNumber(String(given));
  if (value === undefined || !Number.isInteger(value) || value < 1) {
    throw errors.count({ option: `--${name}`, value: String(given) });
  }
  return value;
}

/** commander's complaint in our words. */
function usageError(error: CommanderError, argv: readonly string[]): Error {
  const quoted = /'([^']*)'/.exec(error.message)?.[1] ?? '';
  const name = commandOf(argv);
  if (error.code === 'commander.unknownCommand') {
    const known = commands
      .map((spec) => spec.name)
      .filter((known) => name === '' || known.startsWith(`${name} `));
    return errors.unknownCommand({ name: `${name} ${quoted}`.trim(), known });
  }
  const spec = commands.find((spec) => spec.name === name);
  if (error.code === 'commander.unknownOption') {
    const known = ['--help', '--debug', ...Object.keys(spec?.options ?? {}).map((option) => `--${option}`)];
    return errors.unknownOption({ option: quoted.split('=')[0] as string, command: name, known });
  }
  const config = argv.find((word) => /\.[cm]?[jt]s(:|$)/.test(word));
  if (error.code === 'commander.excessArguments' && config !== undefined && spec?.options?.['config'])
    return errors.positionalConfig({ command: name, config });
  const message = error.message.replace(/^error: /, '').replace(/\.$/, '');
  const what = message.charAt(0).toUpperCase() + message.slice(1);
  return errors.usage({ command: name, message: what, example: spec?.examples[0]?.[0] });
}

/** The command's name among the arguments, as far as it is one; empty if there is none. */
function commandOf(argv: readonly string[]): string {
  const words = argv.filter((word) => !word.startsWith('-'));
  const [first = '', second = ''] = words;
  const both = `${first} ${second}`;
  if (commands.some(({ name }) => name === both)) return both;
  return first in groups || commands.some(({ name }) => name === first) ? first : '';
}
