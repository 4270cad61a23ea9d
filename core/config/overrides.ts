// Overrides from the command line: `--config.optax.mu_dtype=bfloat16`. The type of what is there, or of the schema, is
// kept; a path that leads nowhere is an error.

import { catalogue } from '../errors';
import { childOf, keysOf, typesOf, typeText, type SchemaNode } from '../schema-view';
import { didYouMean } from '../suggest';
import { toNumber } from './args';
import { errorWithoutEffect, mistakeAmong } from './without-effect';

export interface Override {
  /** Dotted, without `config.`: `evals.test.log_steps`, `lr_mults.0.1`. */
  readonly path: string;
  readonly value: string;
}

const errors = catalogue('override', {
  unknownPath: (v: { path: string; key: string; at: string; known: readonly string[] }) => ({
    what: `--config.${v.path}: there is no "${v.key}" in ${v.at === '' ? 'the config' : `"${v.at}"`}.${didYouMean(v.key, v.known)}`,
    fix:
      v.known.length > 0
        ? `one of: ${[...v.known].sort().join(', ')}.`
        : `leave it out: nothing is below "${v.at}".`,
  }),
  index: (v: { path: string; key: string; at: string; length: number }) => ({
    what: `--config.${v.path}: "${v.key}" is no index of "${v.at}", which has ${v.length} item${v.length === 1 ? '' : 's'}.`,
    fix: `use 0 to ${v.length - 1}, or give the whole list as JSON: --config.${v.at}='[...]'.`,
  }),
  value: (v: { path: string; value: string; expected: string }) => ({
    what: `--config.${v.path} is "${v.value}", expected ${v.expected}.`,
    fix: `give ${v.expected}, lists and objects as JSON: --config.${v.path}=VALUE.`,
  }),
  noValue: (v: { flag: string }) => ({
    what: `${v.flag} has no value.`,
    fix: `write ${v.flag}=VALUE.`,
  }),
});

/** Takes `--config.path=value` and `--config.path value` out of the arguments. */
export function takeOverrides(argv: readonly string[]): { overrides: Override[]; rest: string[] } {
  const overrides: Override[] = [];
  const rest: string[] = [];
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i] as string;
    const match = /^--config\.([^=]+)(?:=(.*))?$/s.exec(word);
    const path = match?.[1];
    if (path === undefined) {
      rest.push(word);
      continue;
    }
    const next = argv[i + 1];
    // A negative number is a value; anything else with a dash is the next option.
    const nextIsValue = next !== undefined && (!next.startsWith('-') || toNumber(next) !== undefined);
    const value = match?.[2] ?? (nextIsValue ? argv[++i] : undefined);
    if (value === undefined) throw errors.noValue({ flag: word });
    overrides.push({ path, value });
  }
  return { overrides, rest };
}

/** The config with one override applied; `schema` is that of this config, options of what it names included. */
export function applyOverride(
  config: Readonly<Record<string, unknown>>,
  { path, value }: Override,
  schema: SchemaNode,
): Record<string, unknown> {
  const set = (
    node: unknown,
    at: SchemaNode | undefined,
    keys: readonly string[],
    depth: number,
  ): unknown => {
    const key = keys[depth];
    if (key === undefined) return coerce(node, at, path, value);
    const walked = keys.slice(0, depth).join('.');
    const child = at && childOf(at, key);
    if (Array.isArray(node)) {
      const index = /^\d+$/.test(key) ? Number(key) : -1;
      if (index < 0 || index >= node.length)
        throw errors.index({ path, key, at: walked, length: node.length });
      return node.map((item, i) => (i === index ? set(item, child, keys, depth + 1) : (item as unknown)));
    }
    const there = isObject(node) ? node : {};
    const leaf = depth === keys.length - 1;
    // Free names (evals.NAME) can be added whole, but a path that goes on must find the name.
    if (!(key in there) && (child === undefined || (!leaf && !isNamed(at, key)))) {
      const known = [...new Set([...Object.keys(there), ...keysOf(at ?? {})])];
      if (mistakeAmong(walked, [key]) === undefined) throw errorWithoutEffect(walked, [key]);
      throw errors.unknownPath({ path, key, at: walked, known });
    }
    if (leaf && value === 'null' && removable(at, key, child)) {
      return Object.fromEntries(Object.entries(there).filter(([name]) => name !== key));
    }
    return { ...there, [key]: set(there[key], child, keys, depth + 1) };
  };
  return set(config, schema, path.split('.'), 0) as Record<string, unknown>;
}

/** `null` takes a key out that may be absent, unless null means something there. */
function removable(parent: SchemaNode | undefined, key: string, child: SchemaNode | undefined): boolean {
  if (!parent || !child || parent.required?.includes(key)) return false;
  const types = typesOf(child);
  return types.size > 0 && !types.has('null');
}

function isNamed(node: SchemaNode | undefined, key: string): boolean {
  return node !== undefined && keysOf(node).includes(key);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The text as the type of the present value, else as the first type of the schema that can hold it. */
function coerce(present: unknown, schema: SchemaNode | undefined, path: string, text: string): unknown {
  const allowed = typesOf(schema ?? {});
  const own = typeOf(present);
  const known = own !== undefined && (allowed.size === 0 || allowed.has(own));
  const preferred = known ? [own] : [];
  // A text takes anything, so it comes last.
  const order = ['number', 'boolean', 'null', 'array', 'object', 'string'];
  const others = order.filter((type) =>
    allowed.size === 0 ? present === undefined || type === 'null' : allowed.has(type),
  );
  for (const type of [...preferred, ...others]) {
    const value = read(type, text);
    if (value !== undefined) return value;
  }
  if (allowed.has('boolean') && /^[01]$/.test(text)) return text === '1';
  const expected = allowed.size > 0 && schema ? typeText(schema) : `a ${own ?? 'value'}`;
  throw errors.value({ path, value: text, expected });
}

function typeOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return Array.isArray(value) ? 'array' : typeof value;
}

function read(type: string, text: string): unknown {
  switch (type) {
    case 'number':
      return toNumber(text);
    case 'boolean':
      return /^(true|false)$/i.test(text) ? text.toLowerCase() === 'true' : undefined;
    case 'null':
      return /^(null|none)$/i.test(text) ? null : undefined;
    case 'string':
      return text;
    default:
      return readJson(type, text);
  }
}

function readJson(type: string, text: string): unknown {
  try {
    const value: unknown = JSON.parse(text);
    return typeOf(value) === type ? value : undefined;
  } catch {
    return undefined;
  }
}
