// Output of commands: tables that fit the terminal, plain columns where there is none.

import Table from 'cli-table3';
import pc from 'picocolors';
import { tableStyle } from '../progress';

export function print(text = ''): void {
  process.stdout.write(`${text}\n`);
}

export function heading(text: string): void {
  print(`\n${pc.bold(text)}`);
}

/** Columns; on a terminal the wide ones wrap, elsewhere a row is a line, so that grep works. */
export function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  if (!process.stdout.isTTY) {
    const widths = head.map((title, i) =>
      Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)),
    );
    for (const row of rows)
      print(row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i] ?? 0))).join('  '));
    return;
  }
  print(terminalTable(head, rows, process.stdout.columns));
}

/** A table of at most `columns` characters, as far as its longest words let it be. */
export function terminalTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number,
): string {
  const cells = head.map((title, i) => [title, ...rows.map((row) => row[i] ?? '')]);
  const widest = (length: (text: string) => number) =>
    cells.map((texts) => Math.max(...texts.map(length)) + 2);
  const widths = widest(longestLine);
  const least = widest(longestWord);
  const last = widths.length - 1;
  least[last] = Math.max(24, least[last] as number);
  for (;;) {
    const excess = widths.reduce((sum, width) => sum + width + 1, 1) - columns;
    const room = widths.map((width, i) => (width > (least[i] as number) ? width : 0));
    const wide = room.indexOf(Math.max(...room));
    if (excess <= 0 || room[wide] === 0) break;
    widths[wide] = (widths[wide] as number) - 1;
  }
  const table = new Table({
    head: [...head],
    colWidths: widths,
    wordWrap: true,
    ...tableStyle(),
  });
  table.push(...rows.map((row) => [...row]));
  return table.toString();
}

function longestWord(text: string): number {
  return Math.max(...text.split(/\s/).map((word) => word.length));
}

function longestLine(text: string): number {
  return Math.max(...text.split('\n').map((line) => line.length));
}

/** The first sentence of a documentation. */
export function firstSentence(doc: string): string {
  return /^.*?[.:](?=\s|$)/s.exec(doc)?.[0].replace(/:$/, '.') ?? doc;
}

/** Plain data, readable: short lists and objects on one line. */
export function formatData(value: unknown, indent = ''): string {
  const flat = JSON.stringify(value);
  if (flat === undefined) return 'undefined';
  if (typeof value !== 'object' || value === null || flat.length + indent.length <= 76) return inline(value);
  const inner = `${indent}  `;
  if (Array.isArray(value)) {
    return `[\n${value.map((item) => `${inner}${formatData(item, inner)},\n`).join('')}${indent}]`;
  }
  const entries = Object.entries(value).map(
    ([key, item]) => `${inner}${keyText(key)}: ${formatData(item, inner)},\n`,
  );
  return `{\n${entries.join('')}${indent}}`;
}

function inline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inline).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value).map(([key, item]) => `${keyText(key)}: ${inline(item)}`);
  return entries.length === 0 ? '{}' : `{ ${entries.join(', ')} }`;
}

function keyText(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : JSON.stringify(key);
}
