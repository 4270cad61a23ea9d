// From a parsed call to the checked options of the implementation that it names.

import { catalogue } from '../errors';
import type { ExtensionPoint, ExtensionPoints, Implementation, PpOp, Registry } from '../extensions';
import type { Container } from '../container';
import { checkOptions } from '../options';
import { keysOf, nodeAt, typeText, viewOf } from '../schema-view';
import { didYouMean } from '../suggest';
import type { Literal } from './literal';
import { type Argument, type Call, inWhere, parseCalls, pointAt, type Span } from './parse';

type Place = { readonly text: string; readonly span: Span; readonly where?: string };

const at = ({ span, where }: Place) => `${inWhere(where)}, column ${span.from + 1}`;

const errors = catalogue('call', {
  unknown: (v: Place & { point: string; name: string; known: readonly string[] }) => ({
    what: `Unknown ${v.point} "${v.name}"${at(v)}.${didYouMean(v.name, v.known)}${pointAt(v.text, v.span.from)}`,
    fix: v.known.length > 0 ? `one of: ${v.known.join(', ')}.` : `install a plugin that has a ${v.point}.`,
  }),
  option: (v: Place & { name: string; option: string; known: readonly string[]; signature: string }) => ({
    what: `${v.name} has no option "${v.option}"${at(v)}.${didYouMean(v.option, v.known)}${pointAt(v.text, v.span.from)}`,
    fix: `${v.signature}.`,
  }),
  positional: (v: Place & { name: string; most: number; signature: string }) => ({
    what: `${v.name} takes ${v.most === 0 ? 'no' : `at most ${v.most}`} unnamed ${v.most === 1 ? 'argument' : 'arguments'}${at(v)}.${pointAt(v.text, v.span.from)}`,
    fix: `${v.signature}.`,
  }),
  twice: (v: Place & { name: string; option: string }) => ({
    what: `${v.name} gets its option "${v.option}" twice${at(v)}.${pointAt(v.text, v.span.from)}`,
    fix: 'give it once, by place or by name.',
  }),
  missing: (v: Place & { name: string; option: string; expected: string; signature: string }) => ({
    what: `${v.name} needs the option "${v.option}" (${v.expected})${at(v)}.${pointAt(v.text, v.span.from)}`,
    fix: `${v.signature}.`,
  }),
  value: (v: Place & { name: string; option: string; found: string; expected: string; doc?: string }) => ({
    what: `The option "${v.option}" of ${v.name} is ${v.found}, expected ${v.expected}${at(v)}.${pointAt(v.text, v.span.from)}`,
    fix:
      v.doc === undefined ? 'give it a value of that type.' : `${v.option} is ${v.doc.replace(/\.$/, '')}.`,
  }),
});

/** A call with its options bound to names and checked, as `Registry.create` takes them. */
export interface BoundCall {
  readonly name: string;
  readonly options: Readonly<Record<string, Literal>>;
  /** For errors: the config key and what is called there. */
  readonly where: string;
}

/** `resize(size, method='bilinear', antialias=False)`: what a call may say. */
export function signatureOf(name: string, implementation: Implementation): string {
  const { properties = {}, required = [] } = viewOf(implementation.options);
  const show = (key: string) => {
    if (key === implementation.rest) return `*${key}`;
    const fallback = properties[key]?.default;
    return required.includes(key) ? key : `${key}=${pythonOf(fallback)}`;
  };
  const first = [
    ...(implementation.positional ?? []),
    ...(implementation.rest === undefined ? [] : [implementation.rest]),
  ];
  const others = Object.keys(properties).filter((key) => !first.includes(key));
  return `${name}(${[...first, ...others].map(show).join(', ')})`;
}

function pythonOf(value: unknown): string {
  if (value === undefined || value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return `'${value}'`;
  if (Array.isArray(value)) return `[${value.map(pythonOf).join(', ')}]`;
  return JSON.stringify(value);
}

/** Parses a call string and checks each call against what is registered. */
export function parseCallString(
  text: string,
  registry: Registry,
  point: ExtensionPoint,
  where: string,
): BoundCall[] {
  return parseCalls(text, where).map((call) => bindCall(call, registry, point, { text, where }));
}

/** Makes everything that a call string names, in order. */
export function createCalls<P extends ExtensionPoint>(
  text: string,
  registry: Registry,
  container: Container,
  point: P,
  where: string,
): { readonly name: string; readonly made: ExtensionPoints[P] }[] {
  return parseCallString(text, registry, point, where).map(({ name, options, where: place }) => ({
    name,
    made: registry.create(container, point, name, options, place),
  }));
}

/** The preprocessing ops of a string as one, which runs one after the other. */
export function createPipeline(text: string, registry: Registry, container: Container, where: string): PpOp {
  const ops = createCalls(text, registry, container, 'pp', where);
  return async (example, rng) => {
    let result = example;
    for (const { made } of ops) result = await made(result, rng);
    return result;
  };
}

function bindCall(
  call: Call,
  registry: Registry,
  point: ExtensionPoint,
  { text, where }: { readonly text: string; readonly where: string },
): BoundCall {
  const { name, nameSpan } = call;
  if (!registry.has(point, name)) {
    const known = registry.list(point).map((entry) => entry.name);
    throw errors.unknown({ point, name, known, text, span: nameSpan, where });
  }
  const { implementation } = registry.find(point, name);
  const options: Record<string, Literal> = {};
  const spans = new Map<string, Span>();
  const signature = signatureOf(name, implementation);
  const known = keysOf(viewOf(implementation.options));
  const set = (option: string, { value, span }: Argument) => {
    if (spans.has(option)) throw errors.twice({ name, option, text, span, where });
    options[option] = value;
    spans.set(option, span);
  };

  const positional = implementation.positional ?? [];
  const { rest } = implementation;
  const unnamed = call.args.filter((argument) => argument.name === undefined);
  for (const [i, argument] of unnamed.entries()) {
    const option = positional[i];
    if (option !== undefined) set(option, argument);
    else if (rest === undefined) {
      throw errors.positional({ name, most: positional.length, signature, text, span: argument.span, where });
    }
  }
  if (rest !== undefined && unnamed.length > positional.length) {
    const taken = unnamed.slice(positional.length);
    const span = { from: (taken[0] as Argument).span.from, to: (taken.at(-1) as Argument).span.to };
    set(rest, { value: taken.map(({ value }) => value), span });
  }
  for (const argument of call.args) {
    if (argument.name === undefined) continue;
    const open = nodeAt(viewOf(implementation.options), [argument.name]) !== undefined;
    if (!open)
      throw errors.option({
        name,
        option: argument.name,
        known,
        signature,
        text,
        span: argument.span,
        where,
      });
    set(argument.name, argument);
  }
  checkValues(call, implementation, options, spans, { text, where });
  return { name, options, where: `${where} (${name})` };
}

/** The schema's own check, with the error put under the argument that it is about. */
function checkValues(
  { name, nameSpan }: Call,
  implementation: Implementation,
  options: Readonly<Record<string, Literal>>,
  spans: ReadonlyMap<string, Span>,
  { text, where }: { readonly text: string; readonly where: string },
): void {
  const result = checkOptions(implementation.options, options);
  if (result.success) return;
  const issue = result.error.issues[0] as (typeof result.error.issues)[number];
  const option = String(issue.path[0] ?? '');
  const span = spans.get(option) ?? nameSpan;
  const node = nodeAt(viewOf(implementation.options), [option]);
  const expected = node ? typeText(node) : issue.message.replace(/^Invalid input: /, '');
  if (!(option in options) && option !== '') {
    throw errors.missing({
      name,
      option,
      expected,
      signature: signatureOf(name, implementation),
      text,
      span,
      where,
    });
  }
  const found = JSON.stringify(option === '' ? options : options[option]).slice(0, 200);
  throw errors.value({ name, option, found, expected, doc: node?.description, text, span, where });
}
