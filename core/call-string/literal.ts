// Python literals, from the nodes of @lezer/python's tree. Only what `ast.literal_eval` takes: no names, no operators.

import type { parser } from '@lezer/python';

export type Literal =
  number | string | boolean | null | readonly Literal[] | { readonly [key: string]: Literal };

export type SyntaxNode = ReturnType<typeof parser.parse>['topNode'];

/** A literal that isn't one; carries its place in the parsed text. */
export class LiteralError extends Error {
  constructor(
    readonly from: number,
    readonly expected: string,
  ) {
    super(expected);
  }
}

const digits = String.raw`\d(?:_?\d)*`;
const number = new RegExp(
  String.raw`^(?:0[xX](?:_?[\da-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|(?:${digits}\.?|${digits}\.${digits}|\.${digits})(?:[eE][+-]?${digits})?)$`,
);

/** The children that mean something: no punctuation and no comments. */
export function childrenOf(node: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  for (let child = node.firstChild; child; child = child.nextSibling) {
    if (child.name !== 'Comment') found.push(child);
  }
  return found;
}

/** The first place below a node where the parser found something else than what must stand there. */
export function firstError(node: SyntaxNode): SyntaxNode | undefined {
  if (node.type.isError) return node;
  for (let child = node.firstChild; child; child = child.nextSibling) {
    const found = firstError(child);
    if (found) return found;
  }
  return undefined;
}

export function literalOf(node: SyntaxNode, text: string): Literal {
  const source = text.slice(node.from, node.to);
  switch (node.name) {
    case 'Number':
      return numberOf(node, source);
    case 'MemberExpression':
      // The grammar takes the `.` of `1.` for that of an attribute whose name is to come.
      if (/^\d/.test(source)) return numberOf(node, source.trimEnd());
      break;
    case 'UnaryExpression':
      return signedNumber(node, text);
    case 'String':
      return stringOf(node, source);
    case 'ContinuedString':
      return childrenOf(node)
        .map((part) => stringOf(part, text.slice(part.from, part.to)))
        .join('');
    case 'Boolean':
      return source === 'True';
    case 'None':
      return null;
    case 'ParenthesizedExpression':
      return literalOf(itemsOf(node)[0] as SyntaxNode, text);
    case 'TupleExpression':
    case 'ArrayExpression':
      return itemsOf(node).map((item) => literalOf(item, text));
    case 'DictionaryExpression':
      return dictOf(node, text);
    case 'VariableName':
      throw new LiteralError(node.from, bareName(source));
    case '⚠':
      throw new LiteralError(node.from, 'a value');
  }
  throw new LiteralError(
    node.from,
    'a literal: a number, a string, True, False, None, a tuple, a list or a dict',
  );
}

function bareName(name: string): string {
  const python = { true: 'True', false: 'False', null: 'None', undefined: 'None' }[name];
  return python === undefined
    ? `a literal; a text needs quotes: '${name}'`
    : `a literal; Python writes ${python}`;
}

function itemsOf(node: SyntaxNode): SyntaxNode[] {
  const items = childrenOf(node).filter(
    (child) => !['(', ')', '[', ']', '{', '}', ',', ':'].includes(child.name),
  );
  const wrong = childrenOf(node).find((child) => child.type.isError);
  if (wrong)
    throw new LiteralError(
      wrong.from,
      `a value, or ${node.name === 'ArrayExpression' ? '"]"' : node.name === 'DictionaryExpression' ? '"}"' : '")"'}`,
    );
  return items;
}

function dictOf(node: SyntaxNode, text: string): Literal {
  const items = itemsOf(node);
  const entries: [string, Literal][] = [];
  for (let i = 0; i < items.length; i += 2) {
    const key = literalOf(items[i] as SyntaxNode, text);
    const value = items[i + 1];
    if (!value) throw new LiteralError(node.to - 1, 'a value for each key');
    if (typeof key === 'object')
      throw new LiteralError((items[i] as SyntaxNode).from, 'a text or a number as key');
    entries.push([String(key), literalOf(value, text)]);
  }
  return Object.fromEntries(entries);
}

function numberOf(node: SyntaxNode, source: string): number {
  if (/[jJ]$/.test(source)) throw new LiteralError(node.from, 'a real number');
  const leadingZero = /^0[\d_]*[1-9]/.test(source) && !/[.eE]/.test(source);
  if (!number.test(source) || leadingZero) throw new LiteralError(node.from, 'a number');
  return Number(source.replaceAll('_', ''));
}

function unparenthesized(node: SyntaxNode): SyntaxNode {
  return node.name === 'ParenthesizedExpression' ? unparenthesized(itemsOf(node)[0] as SyntaxNode) : node;
}

function signedNumber(node: SyntaxNode, text: string): number {
  const [operator, operand, after] = childrenOf(node) as [SyntaxNode, SyntaxNode?, SyntaxNode?];
  if (after) throw new LiteralError(after.from, 'a comma, or the end of the arguments');
  const sign = text.slice(operator.from, operator.to);
  const number = operand && unparenthesized(operand);
  if (number && (sign === '-' || sign === '+') && ['Number', 'MemberExpression'].includes(number.name)) {
    const value = literalOf(number, text);
    if (typeof value === 'number') return sign === '-' ? -value : value;
  }
  throw new LiteralError(node.from, 'a number after the sign');
}

const escapes: Readonly<Record<string, string>> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};

function stringOf(node: SyntaxNode, source: string): string {
  const match = /^([a-zA-Z]*)('''|"""|'|")([\s\S]*)\2$/.exec(source);
  if (node.name !== 'String' || !match) throw new LiteralError(node.from, 'a closed string');
  const [, prefix, , body] = match as unknown as [string, string, string, string];
  if (/^r$/i.test(prefix)) return body;
  if (!/^u?$/i.test(prefix)) throw new LiteralError(node.from, `a plain string: no ${prefix}'...'`);
  // As in Python, a backslash before anything else stays.
  return body.replace(
    /\\(?:([0-7]{1,3})|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([\s\S]))/g,
    (whole, octal?: string, x?: string, u?: string, U?: string, other?: string) => {
      if (octal !== undefined) return String.fromCodePoint(parseInt(octal, 8));
      const hex = x ?? u ?? U;
      if (hex !== undefined) {
        if (parseInt(hex, 16) > 0x10ffff) throw new LiteralError(node.from, 'a character up to \\U0010ffff');
        return String.fromCodePoint(parseInt(hex, 16));
      }
      if (/[xuUN]/.test(other as string))
        throw new LiteralError(node.from, 'hexadecimal digits after \\x (2), \\u (4) or \\U (8)');
      return escapes[other as string] ?? whole;
    },
  );
}
