// Checks options against a schema. The error names the key, what was found and expected, and the nearest valid name.

import type { z } from 'zod';
import { errorWithoutEffect, mistakeAmong } from './config/without-effect';
import { catalogue } from './errors';
import { childOf, keysOf, nodeAt, typeText, viewOf, type SchemaNode } from './schema-view';
import { didYouMean, nearest } from './suggest';

/** `file`: what holds the options, where that isn't the config of a run. */
type Place = { readonly path: string; readonly file?: string };

const named = ({ path, file }: Place) => `"${path}"${file === undefined ? '' : ` in ${file}`}`;
const about = (doc: string | undefined) => (doc === undefined ? '' : ` (${doc})`);

const errors = catalogue('options', {
  unknownKey: (v: Place & { near?: string; known: readonly string[] }) => ({
    what: `Unknown key ${named(v)}.${v.near === undefined ? '' : ` Did you mean "${v.near}"?`}`,
    fix: unknownKeyFix(v.near, v.known),
  }),
  missing: (v: Place & { expected: string; doc?: string }) => ({
    what: `${named(v)} is missing, expected ${v.expected}${about(v.doc)}.`,
    fix:
      v.file === undefined
        ? `set ${v.path} in the config, or with --config.${v.path}=VALUE.`
        : 'add it there.',
  }),
  value: (v: Place & { found: string; problem: string; doc?: string; hint: string }) => ({
    what: `${named(v)} is ${v.found}, ${v.problem}${about(v.doc)}.${v.hint}`,
    fix:
      v.file === undefined
        ? `change ${v.path} in the config, or override it with --config.${v.path}=VALUE.`
        : 'change it there.',
  }),
});

function unknownKeyFix(near: string | undefined, known: readonly string[]): string {
  if (known.length === 0) return 'remove it: no key is expected here.';
  const list = [...known].sort().join(', ');
  return near !== undefined && known.length > 12 ? `rename it to "${near}".` : `one of: ${list}.`;
}

/**
 * Parses options with a schema. `where` is the config key that holds them, empty for the config itself; `file` is what
 * to name instead where they aren't in a config.
 */
export function parseOptions<Schema extends z.ZodType>(
  schema: Schema,
  options: unknown,
  where: string,
  file?: string,
): z.output<Schema> {
  const result = checkOptions(schema, options);
  if (result.success) return result.data;
  throw explain(result.error.issues, schema, options, { where, file });
}

type Issue = z.core.$ZodIssue;

/** The schema's check, for which 0 and 1 are booleans where one is expected, as in Python. */
export function checkOptions<Schema extends z.ZodType>(
  schema: Schema,
  options: unknown,
): z.ZodSafeParseResult<z.output<Schema>> {
  const result = schema.safeParse(options);
  const numbers = (result.error?.issues ?? []).filter(
    (issue) =>
      issue.code === 'invalid_type' &&
      issue.expected === 'boolean' &&
      [0, 1].includes(valueAt(options, issue.path) as number),
  );
  if (numbers.length === 0) return result;
  return schema.safeParse(numbers.reduce((given, { path }) => withBoolean(given, path), options));
}

/** The options with the number at a path, which is there, as a boolean. */
function withBoolean(options: unknown, [key, ...rest]: readonly PropertyKey[]): unknown {
  if (key === undefined) return Boolean(options);
  const changed = withBoolean((options as Record<PropertyKey, unknown>)[key], rest);
  if (Array.isArray(options)) return options.with(Number(key), changed);
  return { ...(options as object), [key]: changed };
}

function valueAt(options: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (value as Record<PropertyKey, unknown>)?.[key], options);
}

function explain(
  issues: readonly Issue[],
  schema: z.ZodType,
  options: unknown,
  { where, file }: { where: string; file?: string },
): Error {
  const issue = chooseIssue(issues);
  const view = viewOf(schema);
  const path = join(where, issue.path);
  if (issue.code === 'unrecognized_keys') {
    const key = file === undefined ? mistakeAmong(path, issue.keys) : issue.keys[0];
    if (key === undefined) return errorWithoutEffect(path, issue.keys);
    const known = keysOf(nodeAt(view, issue.path) ?? {});
    return errors.unknownKey({ path: join(path, [key]), file, near: nearest(key, known), known });
  }
  const node = nodeAt(view, issue.path);
  const doc = node && docOf(node, view, issue.path);
  const found = valueAt(options, issue.path);
  if (found === undefined) {
    const expected = node === undefined ? 'a value' : typeText(node);
    return errors.missing({ path, file, expected, doc });
  }
  const choices = issue.code === 'invalid_value' && typeof found === 'string' ? issue.values.map(String) : [];
  return errors.value({
    path,
    file,
    found: JSON.stringify(found).slice(0, 200),
    problem: problemOf(issue, node),
    doc,
    hint: typeof found === 'string' ? didYouMean(found, choices) : '',
  });
}

function join(where: string, path: readonly PropertyKey[]): string {
  return [where, ...path.map(String)].filter((part) => part !== '').join('.');
}

/** A misspelt key explains the missing one too, so it goes first; a union shows its nearest branch. */
function chooseIssue(issues: readonly Issue[]): Issue {
  const all = issues.map(throughUnion);
  return all.find((issue) => issue.code === 'unrecognized_keys') ?? (all[0] as Issue);
}

function throughUnion(issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  // The branch that was meant is the one that got past its own type.
  const meant = issue.errors.find(
    (branch) =>
      branch.length > 0 && branch.every((inner) => inner.path.length > 0 || inner.code !== 'invalid_type'),
  );
  const first = meant && chooseIssue(meant);
  return first ? ({ ...first, path: [...issue.path, ...first.path] } as Issue) : issue;
}

function problemOf(issue: Issue, node: SchemaNode | undefined): string {
  switch (issue.code) {
    case 'invalid_type':
    case 'invalid_union':
    case 'invalid_value':
    case 'too_small':
    case 'too_big':
      if (node && Object.keys(node).length > 0 && issue.code !== 'too_small' && issue.code !== 'too_big') {
        return `expected ${typeText(node)}`;
      }
      return issue.message.replace(/^(Invalid input|Too small|Too big): /, '');
    default:
      return issue.message.replace(/^Invalid input: /, '');
  }
}

/** The option's own documentation, of the nearest key above a list's item. */
function docOf(node: SchemaNode, view: SchemaNode, path: readonly PropertyKey[]): string | undefined {
  if (node.description !== undefined) return node.description;
  const last = path.findLastIndex((key) => typeof key === 'string');
  let at: SchemaNode | undefined = view;
  for (const key of path.slice(0, last + 1)) at = at && childOf(at, String(key));
  return at?.description;
}
