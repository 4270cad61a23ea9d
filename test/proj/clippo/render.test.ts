// Texts as images against recordings of the original, and the font.

import fs from 'node:fs';
import path from 'node:path';
import type { HostArray } from '../../../core/array';
import type { Example } from '../../../core/extensions';
import { tokens } from '../../../core/train/run';
import { createPipeline } from '../../../core/call-string';
import pp from '../../../plugins/pp';
import towers from '../../../plugins/towers';
import vit from '../../../plugins/vit';
import clippo from '../../../proj/clippo';
import { hexFont, packagedFont } from '../../../proj/clippo/unifont';
import { expectCase, goldenCases, goldenRoot, readCase } from '../../support/golden';
import { exampleRng } from '../../../plugins/input';
import { register } from '../../support/pp';
import { temporaryFolder } from '../../support/temporary';

const { registry, container } = register(pp, vit, towers, clippo as never);
container.provide(tokens.root, path.join(goldenRoot, '..'));
const sample = path.join(goldenRoot, '..', 'unifont_sample.hex');

async function run(text: string, example: Example): Promise<Example> {
  return createPipeline(text, registry, container, 'pp')(example, exampleRng(0, 0, 0));
}

test.each(goldenCases(({ name }) => name === 'render_unifont').map(({ folder }) => folder))(
  '%s',
  async (folder) => {
    const golden = await readCase(folder);
    const text = (golden.args.pp as string).replace(/\)$/, ', hex_files=["unifont_sample.hex"])');
    const result = await run(text, golden.string_inputs as Example);
    const got = [...golden.outputs.keys()].map((key) => [key, result[key] as HostArray] as const);
    expectCase(new Map(got), golden);
  },
);

test('the font of the npm package has the bitmaps of the .hex files', () => {
  // https://en.wikipedia.org/wiki/GNU_Unifont shows this one.
  const a = hexFont([hexFile('0041:0000000018242442427E424242420000\n')])(0x41);
  expect(packagedFont()(0x41)).toEqual(a);
  for (const line of fs.readFileSync(sample, 'utf8').trim().split('\n')) {
    const codePoint = parseInt(line.split(':')[0] as string, 16);
    expect(packagedFont()(codePoint)).toEqual(hexFont([sample])(codePoint));
  }
  expect(packagedFont()(0x1f600).some((bit) => bit === 1)).toBe(false);
});

test('every script of the Basic Multilingual Plane can be drawn', () => {
  for (const letter of 'aéжΩאبहไ안猫あ') {
    expect(packagedFont()(letter.codePointAt(0) as number).some((bit) => bit === 1)).toBe(true);
  }
});

test('a list gives its first text; no text is a blank image', async () => {
  const image = async (texts: string | string[]) =>
    (await run('render_unifont(32)', { texts })).image as HostArray;
  expect(await image(['ab', 'c'])).toEqual(await image('ab'));
  expect(new Set((await image('')).data)).toEqual(new Set([127]));
});

test.each([
  ['nowhere.hex', /can't read the font .*nowhere.hex/],
  [hexFile('0041:12\n'), /Line 1 of the font .* is "0041:12", expected/],
])('a font %s is refused', (file, message) => {
  expect(() => hexFont([file])).toThrow(message);
});

function hexFile(text: string): string {
  const file = path.join(temporaryFolder(), 'font.hex');
  fs.writeFileSync(file, text);
  return file;
}
