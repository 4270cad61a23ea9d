// One command of `bv`: its help, its options and what it does, in one typed value.

import type { Override } from '../config/overrides';
import type { ExitCode } from '../errors';

export type OptionSpec =
  /** `--name VALUE` */
  | { readonly kind: 'text'; readonly value: string; readonly doc: string }
  /** `--name VALUE`, or `--no-name`, which is false. */
  | { readonly kind: 'text or no'; readonly value: string; readonly doc: string; readonly no: string }
  /** `--name N`, a whole number from 1. */
  | { readonly kind: 'count'; readonly value: string; readonly doc: string }
  /** `--name` */
  | { readonly kind: 'flag'; readonly doc: string };

export interface ArgumentSpec {
  readonly doc: string;
  readonly optional?: true;
  /** The last argument may be given several times: its value is a list. */
  readonly many?: true;
}

export type OptionSpecs = { readonly [name: string]: OptionSpec };
export type ArgumentSpecs = { readonly [name: string]: ArgumentSpec };

type OptionValue<Spec extends OptionSpec> = Spec['kind'] extends 'flag'
  ? boolean
  : Spec['kind'] extends 'count'
    ? number | undefined
    : Spec['kind'] extends 'text or no'
      ? string | false | undefined
      : string | undefined;

export interface CommandInput<
  Options extends OptionSpecs = OptionSpecs,
  Arguments extends ArgumentSpecs = ArgumentSpecs,
> {
  readonly options: { readonly [K in keyof Options]: OptionValue<Options[K]> };
  readonly args: {
    readonly [K in keyof Arguments]: Arguments[K] extends { readonly many: true }
      ? readonly string[]
      : Arguments[K] extends { readonly optional: true }
        ? string | undefined
        : string;
  };
  readonly overrides: readonly Override[];
  readonly debug: boolean;
}

export interface CommandSpec<
  Options extends OptionSpecs = OptionSpecs,
  Arguments extends ArgumentSpecs = ArgumentSpecs,
> {
  /** Two words for a command of a group: `runtime install`. */
  readonly name: string;
  readonly summary: string;
  /** Paragraphs for `--help`. */
  readonly details?: string;
  readonly examples: readonly (readonly [command: string, what: string])[];
  readonly args?: Arguments;
  readonly options?: Options;
  /** Takes `--config.a.b=VALUE`. */
  readonly overrides?: true;
  /** Loads what it needs itself, so that `--help` costs nothing. */
  run(input: CommandInput<Options, Arguments>): Promise<ExitCode>;
}

/** Types the input of `run` by the options and arguments. */
export function defineCommand<const Options extends OptionSpecs, const Arguments extends ArgumentSpecs>(
  spec: CommandSpec<Options, Arguments>,
): CommandSpec {
  return spec as unknown as CommandSpec;
}
