import { stripVTControlCharacters } from 'node:util';
import { terminalTable } from '../../../core/cli/print';

const table = (columns: number, ...cells: string[]) =>
  stripVTControlCharacters(terminalTable(['option', 'type', 'what it is'], [cells], columns)).split('\n');

const names = ['"none"', '"everything_saveable"', '"dots_with_no_batch_dims_saveable"'];
const doc = 'what the backward pass may keep of a block instead of computing it again';

test('wide columns share the width of a terminal, and lose no word', () => {
  const lines = table(100, 'remat_policy', names.join(' | '), doc);
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
  for (const word of ['remat_policy', ...names, ...doc.split(' ')]) expect(lines.join('\n')).toContain(word);
});

test('what fits has a line for each row', () => {
  expect(table(100, 'depth', 'integer', 'number of blocks')).toHaveLength(4);
});

test('words stay whole where the terminal is narrower than they are', () => {
  expect(table(40, 'a'.repeat(30), names.join(' | '), doc).join('\n')).toContain('a'.repeat(30));
});
