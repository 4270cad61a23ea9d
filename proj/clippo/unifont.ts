// GNU Unifont as bitmaps: a letter of every script of the Basic Multilingual Plane, drawn by hand on a grid of 16 rows.

import fs from 'node:fs';
import { catalogue } from '../../core/errors';

/** 16 rows of 16 columns, 1 where there is ink. Narrow letters have the left eight columns. */
export type Letter = Uint8Array;
export const letterSize = 16;

/** The letter of a code point; blank where the font has none. */
export type Font = (codePoint: number) => Letter;

const errors = catalogue('clippo', {
  missing: (v: { message: string }) => ({
    what: `render_unifont can't read the npm package "@fontsource/unifont": ${v.message}.`,
    fix: 'npm install @fontsource/unifont@5.3.0, or name .hex files of unifoundry.com in "hex_files".',
  }),
  hexFile: (v: { file: string; message: string }) => ({
    what: `render_unifont can't read the font ${v.file}: ${v.message}.`,
    fix: 'name .hex files of unifoundry.com in "hex_files", or leave it out.',
  }),
  hexLine: (v: { file: string; line: number; text: string }) => ({
    what: `Line ${v.line} of the font ${v.file} is "${v.text}", expected a code point, a colon, and 32 or 64 hexadecimal digits.`,
    fix: 'name .hex files of unifoundry.com in "hex_files".',
  }),
});

const blank: Letter = new Uint8Array(letterSize * letterSize);

// ---- The font of the npm package ------------------------------------------------------------------------------------------

/** What is used of opentype.js. Coordinates are in units of the font, y upwards. */
interface OpenTypeFont {
  readonly unitsPerEm: number;
  readonly ascender: number;
  charToGlyphIndex(text: string): number;
  readonly glyphs: { get(index: number): { readonly path: { readonly commands: readonly Command[] } } };
}
type Command =
  | { readonly type: 'M' | 'L'; readonly x: number; readonly y: number }
  | { readonly type: 'Q'; readonly x1: number; readonly y1: number; readonly x: number; readonly y: number }
  | { readonly type: 'Z' };
type Point = readonly [x: number, y: number];

let packaged: Font | undefined;

/** The font of the npm package `@fontsource/unifont`, whose outlines are those of the bitmaps. Parsed once, in a second. */
export function packagedFont(): Font {
  packaged ??= outlineFont(readPackaged());
  return packaged;
}

function readPackaged(): OpenTypeFont {
  try {
    /* eslint-disable @typescript-eslint/no-require-imports */
    const { parse } = require('opentype.js') as {
      parse(bytes: ArrayBuffer, options: { lowMemory: boolean }): OpenTypeFont;
    };
    /* eslint-enable @typescript-eslint/no-require-imports */
    const file = require.resolve('@fontsource/unifont/files/unifont-latin-400-normal.woff');
    // Read lazily: most of the 57,000 letters are never drawn.
    return parse(new Uint8Array(fs.readFileSync(file)).buffer, { lowMemory: true });
  } catch (error) {
    throw errors.missing({ message: String((error as Error).message).split('\n')[0] as string });
  }
}

function outlineFont(font: OpenTypeFont): Font {
  const letters = new Map<number, Letter>();
  return (codePoint) => {
    const known = letters.get(codePoint);
    if (known) return known;
    const index = font.charToGlyphIndex(String.fromCodePoint(codePoint));
    const letter = index === 0 ? blank : fill(font.glyphs.get(index).path.commands, font);
    letters.set(codePoint, letter);
    return letter;
  };
}

/** A pixel has ink if its centre is inside of the outline, by the winding number. */
function fill(commands: readonly Command[], { unitsPerEm, ascender }: OpenTypeFont): Letter {
  const edges = edgesOf(commands);
  const unit = unitsPerEm / letterSize;
  return Uint8Array.from({ length: letterSize * letterSize }, (_, i) => {
    const x = ((i % letterSize) + 0.5) * unit;
    const y = ascender - (Math.floor(i / letterSize) + 0.5) * unit;
    let winding = 0;
    for (const [[x0, y0], [x1, y1]] of edges) {
      if (y0 <= y === y1 <= y) continue;
      if (x0 + ((y - y0) / (y1 - y0)) * (x1 - x0) < x) winding += y1 > y0 ? 1 : -1;
    }
    return winding === 0 ? 0 : 1;
  });
}

/** All edges are straight: the curves of the file have their control points at corners. */
function edgesOf(commands: readonly Command[]): (readonly [Point, Point])[] {
  const edges: (readonly [Point, Point])[] = [];
  let start: Point = [0, 0];
  let at: Point = start;
  const to = (next: Point) => {
    edges.push([at, next]);
    at = next;
  };
  for (const command of commands) {
    if (command.type === 'Z') to(start);
    else if (command.type === 'M') start = at = [command.x, command.y];
    else {
      if (command.type === 'Q') to([command.x1, command.y1]);
      to([command.x, command.y]);
    }
  }
  return edges;
}

// ---- The font's own files -------------------------------------------------------------------------------------------------

/** A font of .hex files, as the original reads them; later ones win. */
export function hexFont(files: readonly string[]): Font {
  const rows = new Map(files.flatMap(readHex));
  return (codePoint) => rows.get(codePoint) ?? blank;
}

function readHex(file: string): [codePoint: number, letter: Letter][] {
  let text: string;
  try {
    text = fs.readFileSync(file, 'latin1');
  } catch (error) {
    throw errors.hexFile({ file, message: (error as Error).message });
  }
  return text
    .trimEnd()
    .split('\n')
    .map((line, i) => {
      const [, code, digits] = /^([0-9A-F]{4,6}):([0-9A-F]{32}|[0-9A-F]{64})\s*$/i.exec(line) ?? [];
      if (!code || !digits) throw errors.hexLine({ file, line: i + 1, text: line.slice(0, 80) });
      return [parseInt(code, 16), lettersOf(digits)];
    });
}

/** Each row is two or four digits, the leftmost column first. */
function lettersOf(digits: string): Letter {
  const letter = new Uint8Array(letterSize * letterSize);
  const columns = (digits.length / letterSize) * 4;
  for (let row = 0; row < letterSize; row++) {
    const bits = parseInt(digits.slice((row * columns) / 4, ((row + 1) * columns) / 4), 16);
    for (let x = 0; x < columns; x++) letter[row * letterSize + x] = (bits >> (columns - 1 - x)) & 1;
  }
  return letter;
}
