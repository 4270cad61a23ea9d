// The argument string of a config, after the colon of `--config FILE:ARG`: `variant=B/16,res=256,runlocal`. The types
// come from the defaults.

import { catalogue } from '../errors';
import { didYouMean } from '../suggest';

/** A default and the function that makes a value from text, where the default's own type isn't enough. */
export type TypedDefault<T> = readonly [initial: T | null | undefined, parse: (text: string) => T];
export type ArgSpec = { readonly [name: string]: string | number | boolean | TypedDefault<unknown> };

type ArgValue<V> = V extends readonly [infer Initial, (text: string) => infer T]
  ? Widen<T> | (Initial extends null | undefined ? Initial : never)
  : Widen<V>;
type Widen<V> = V extends string ? string : V extends number ? number : V extends boolean ? boolean : V;
/** The values of a spec, typed by its defaults. */
export type Args<Spec extends ArgSpec> = { readonly [K in keyof Spec]: ArgValue<Spec[K]> };

type Extra = { readonly [name: string]: string | number | boolean };

const errors = catalogue('config-arg', {
  unknown: (v: { name: string; arg: string; known: readonly string[] }) => ({
    what: `Unknown argument "${v.name}" in the config's argument string "${v.arg}".${didYouMean(v.name, v.known)}`,
    fix:
      v.known.length > 0 ? `one of: ${v.known.join(', ')}.` : 'leave it out: this config takes no arguments.',
  }),
  value: (v: { name: string; value: string; expected: string }) => ({
    what: `The config argument "${v.name}" is "${v.value}", expected ${v.expected}.`,
    fix: `write ${v.name}=VALUE with ${v.expected} in the text after the colon of --config.`,
  }),
});

/**
 * Reads `k=v,k2=v2` with the original's rules: a lone word is `word=true` if the spec has it, and the value of the
 * spec's first entry otherwise; in a list a name without a value is true; no commas in values.
 * `lazy`: names that aren't in the spec are kept, as boolean, number or string.
 */
export function parseArg<Spec extends ArgSpec>(arg: string, spec: Spec): Args<Spec>;
export function parseArg<Spec extends ArgSpec>(
  arg: string,
  spec: Spec,
  options: { readonly lazy: true },
): Args<Spec> & Extra;
export function parseArg(arg: string, spec: ArgSpec, options: { readonly lazy?: boolean } = {}): unknown {
  const names = Object.keys(spec);
  const given = new Map<string, string>();
  for (const part of expandLoneWord(arg, names).split(',')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    if (equals < 0) given.set(part, 'true');
    else given.set(part.slice(0, equals), part.slice(equals + 1));
  }

  const values: Record<string, unknown> = {};
  for (const [name, initial] of Object.entries(spec)) {
    const text = given.get(name);
    given.delete(name);
    if (text !== undefined) values[name] = parserOf(initial)(name, text);
    else values[name] = isTyped(initial) ? initial[0] : initial;
  }
  for (const [name, text] of given) {
    if (!options.lazy) throw errors.unknown({ name, arg, known: names });
    values[name] = autotype(text);
  }
  return values;
}

function expandLoneWord(arg: string, names: readonly string[]): string {
  const first = names[0];
  const lone = arg !== '' && !/[,=]/.test(arg);
  if (!lone || names.includes(arg) || first === undefined) return arg;
  return `${first}=${arg}`;
}

function isTyped(initial: ArgSpec[string]): initial is TypedDefault<unknown> {
  return typeof initial === 'object';
}

function parserOf(initial: ArgSpec[string]): (name: string, text: string) => unknown {
  if (isTyped(initial)) {
    const parse = initial[1];
    // The constructors stand for the types, as in the original; bare, they take any text.
    if (parse === Number) return parseNumber;
    if (parse === Boolean) return parseBoolean;
    return (_name, text) => parse(text);
  }
  if (typeof initial === 'number') return parseNumber;
  if (typeof initial === 'boolean') return parseBoolean;
  return (_name, text) => text;
}

function parseNumber(name: string, text: string): number {
  const value = toNumber(text);
  if (value === undefined) throw errors.value({ name, value: text, expected: 'a number' });
  return value;
}

function parseBoolean(name: string, text: string): boolean {
  const lower = text.toLowerCase();
  if (!['true', 'false', ''].includes(lower))
    throw errors.value({ name, value: text, expected: 'true or false' });
  return lower === 'true';
}

/** A number as Python and JSON write them, `1_000` and `1e-3` too. */
export function toNumber(text: string): number | undefined {
  const plain = text.trim().replace(/(?<=\d)_(?=\d)/g, '');
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : undefined;
}

function autotype(text: string): string | number | boolean {
  const lower = text.toLowerCase();
  if (lower === 'true' || lower === 'false') return lower === 'true';
  return toNumber(text) ?? text;
}
