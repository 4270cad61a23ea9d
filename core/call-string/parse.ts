// The grammar of call strings: calls of Python syntax with literal arguments, joined by "|", as in
// "decode|resize(28)|keep('image', 'labels')". Preprocessing, sharding rules and tokenizers are written so.

import { parser } from '@lezer/python';
import { catalogue } from '../errors';
import { childrenOf, firstError, type Literal, LiteralError, literalOf, type SyntaxNode } from './literal';

/** Positions in the call string, `to` exclusive. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

export interface Argument {
  /** Absent for a positional argument. */
  readonly name?: string;
  readonly value: Literal;
  readonly span: Span;
}

export interface Call {
  readonly name: string;
  readonly nameSpan: Span;
  readonly args: readonly Argument[];
}

const errors = catalogue('call', {
  syntax: (v: { text: string; at: number; expected: string; where?: string }) => ({
    what: `Can't read the call string${inWhere(v.where)}: expected ${v.expected} at column ${v.at + 1}.${pointAt(v.text, v.at)}`,
    fix: "write calls with literal arguments, joined by a pipe: decode|resize(28, method='area').",
  }),
});

export function inWhere(where: string | undefined): string {
  return where ? ` in ${where}` : '';
}

const width = 96;

/** The line of the text that holds a position, and a caret below it. */
export function pointAt(text: string, at: number): string {
  const start = text.lastIndexOf('\n', at - 1) + 1;
  const end = text.indexOf('\n', at);
  const line = text.slice(start, end < 0 ? undefined : end);
  const column = at - start;
  // A terminal would wrap a long line and so move the caret off its place.
  const cut = line.length <= width ? 0 : Math.max(0, Math.min(column - width / 2, line.length - width));
  const left = cut > 0 ? '…' : '';
  const right = cut + width < line.length ? '…' : '';
  return `\n    ${left}${line.slice(cut, cut + width)}${right}\n    ${' '.repeat(left.length + column - cut)}^`;
}

/** The calls of a string, in order; empty sections count for nothing. */
export function parseCalls(text: string, where?: string): Call[] {
  return sectionsOf(text, where).map((section) => parseSection(text, section, where));
}

/** Splits at pipes that aren't in a quoted text. */
function sectionsOf(text: string, where?: string): Span[] {
  const found: Span[] = [];
  let from = 0;
  const close = (to: number) => {
    const section = text.slice(from, to);
    const trimmed = section.trim();
    const start = from + section.indexOf(trimmed);
    if (trimmed !== '') found.push({ from: start, to: start + trimmed.length });
    from = to + 1;
  };
  for (let i = 0; i < text.length; i++) {
    const char = text[i] as string;
    if (char === '|') close(i);
    if (char !== "'" && char !== '"') continue;
    const quote = text.startsWith(char.repeat(3), i) ? char.repeat(3) : char;
    const opened = i;
    i += quote.length;
    while (i < text.length && !text.startsWith(quote, i)) i += text[i] === '\\' ? 2 : 1;
    if (i >= text.length) {
      throw errors.syntax({ text, at: opened, expected: `a closing ${quote} for the quote`, where });
    }
    i += quote.length - 1;
  }
  close(text.length);
  return found;
}

function parseSection(text: string, section: Span, where?: string): Call {
  const source = text.slice(section.from, section.to);
  try {
    return callOf(parser.parse(source).topNode, source, section.from);
  } catch (error) {
    if (!(error instanceof LiteralError)) throw error;
    throw errors.syntax({ text, at: section.from + error.from, expected: error.expected, where });
  }
}

function callOf(top: SyntaxNode, source: string, offset: number): Call {
  const [statement, ...more] = childrenOf(top);
  const expression = statement?.firstChild;
  if (statement?.name !== 'ExpressionStatement' || !expression) throw notACall(top, statement, source);
  const call =
    expression.name === 'CallExpression'
      ? namedCall(expression, source, offset)
      : { ...nameOf(expression, source, offset), args: [] };
  const after = childrenOf(statement)[1] ?? more.find((node) => !node.type.isError) ?? more[0];
  if (after) throw new LiteralError(after.from, 'a pipe or the end');
  return call;
}

/** Where the grammar saw another kind of statement, its first error tells more than its beginning. */
function notACall(top: SyntaxNode, statement: SyntaxNode | undefined, source: string): LiteralError {
  const wrong = firstError(top);
  if (wrong && /^[\w.\s]*\(/.test(source)) return new LiteralError(wrong.from, '"," or ")"');
  return new LiteralError(statement?.from ?? 0, 'a name or a call');
}

function namedCall(node: SyntaxNode, source: string, offset: number): Call {
  const [callee, list] = childrenOf(node) as [SyntaxNode, SyntaxNode];
  return { ...nameOf(callee, source, offset), args: argumentsOf(list, source, offset) };
}

function nameOf(node: SyntaxNode, source: string, offset: number): Pick<Call, 'name' | 'nameSpan'> {
  const name = source.slice(node.from, node.to);
  const isName = /^[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_]*)*$/u.test(name);
  if (!isName || name.split('.').some((part) => ['None', 'True', 'False'].includes(part))) {
    throw new LiteralError(node.from, 'a name or a call');
  }
  return { name, nameSpan: { from: offset + node.from, to: offset + node.to } };
}

function argumentsOf(list: SyntaxNode, source: string, offset: number): Argument[] {
  const [, ...nodes] = childrenOf(list);
  const found: Argument[] = [];
  let i = 0;
  for (;;) {
    const node = nodes[i];
    if (!node || node.name === ')') break;
    if (node.type.isError)
      throw new LiteralError(node.from, found.length === 0 ? 'an argument or ")"' : 'an argument');
    const named = nodes[i + 1]?.name === 'AssignOp';
    const valueNode = named ? nodes[i + 2] : node;
    const assigns = source.slice(nodes[i + 1]?.from, nodes[i + 1]?.to) === '=';
    if (named && !assigns) throw new LiteralError((nodes[i + 1] as SyntaxNode).from, '"," or "="');
    if (named && node.name !== 'VariableName') throw new LiteralError(node.from, 'the name of an option');
    if (!valueNode || valueNode.name === ')') throw new LiteralError(valueNode?.from ?? list.to, 'a value');
    if (!named && found.some((argument) => argument.name !== undefined)) {
      throw new LiteralError(node.from, 'a named argument, since one came before');
    }
    found.push({
      ...(named && { name: source.slice(node.from, node.to) }),
      value: literalOf(valueNode, source),
      span: { from: offset + node.from, to: offset + valueNode.to },
    });
    i += named ? 3 : 1;
    const next = nodes[i];
    if (next?.name === ',') i++;
    else if (next?.name !== ')') throw new LiteralError(next?.from ?? list.to, '"," or ")"');
  }
  if (nodes.at(-1)?.name !== ')') throw new LiteralError(list.to, '"," or ")"');
  return found;
}
