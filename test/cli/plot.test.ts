import * as fs from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { metricsFile } from '../../core/train/metrics';
import { bv } from '../support/cli';
import { temporaryFolder } from '../support/temporary';

function runWith(rows: readonly object[], end = ''): string {
  const workdir = temporaryFolder();
  fs.writeFileSync(join(workdir, metricsFile), rows.map((row) => `${JSON.stringify(row)}\n`).join('') + end);
  return workdir;
}

it('bv plot draws a curve for each run', async () => {
  const a = runWith([0, 1, 2].map((step) => ({ step, training_loss: 3 - step, 'test/prec@1': step / 4 })));
  const b = runWith(
    [0, 1].map((step) => ({ step, training_loss: 4 - step })),
    '{"step": 2, "train',
  );
  const svg = join(temporaryFolder(), 'loss.svg');
  expect(await bv(['plot', a, b, '--out', svg])).toMatchObject({
    code: 0,
    stdout: `${svg}: ${a} (3), ${b} (2)\n`,
  });
  const text = fs.readFileSync(svg, 'utf8');
  expect(text).toMatch(/^<svg/);
  expect(text).toContain('training_loss');
  expect(text.match(/stroke-width="1.5"/g)).toHaveLength(2);

  const png = join(temporaryFolder(), 'prec.png');
  expect(await bv(['plot', a, '--metric', 'test/prec@1', '--out', png])).toMatchObject({ code: 0 });
  expect((await sharp(png).metadata()).width).toBeGreaterThanOrEqual(720);
});

it('bv plot keeps long names apart, and within the picture', async () => {
  const names = ['a', 'b', 'c'].map((letter) => `shapes_panoptic_${letter}/panoptic_quality_of_all_things`);
  const workdir = runWith(
    [1, 2].map((step) => ({ step, ...Object.fromEntries(names.map((name) => [name, step])) })),
  );
  const svg = join(temporaryFolder(), 'long.svg');
  expect(await bv(['plot', workdir, '--metric', names.join(), '--out', svg])).toMatchObject({ code: 0 });
  const texts = [...fs.readFileSync(svg, 'utf8').matchAll(/translate\(([\d.]+) ([\d.]+)\)"[^>]*>([^<]*)</g)];
  const legend = names.map((name) => texts.find(([, , , text]) => text === name));
  expect(new Set(legend.map((found) => found?.[1])).size).toBe(1);
  const heights = legend.map((found) => Number(found?.[2]));
  expect(Math.min(heights[1]! - heights[0]!, heights[2]! - heights[1]!)).toBeGreaterThan(12);
  const cut = fs.readFileSync(svg, 'utf8').match(/>shapes_panoptic_a[^<]*\.\.\.</g);
  expect(cut).toHaveLength(2); // the title, and the name of the y axis
});

it('says what is wrong with runs, metrics and files', async () => {
  const a = runWith([{ step: 1, training_loss: 3 }]);
  const said = async (...args: string[]) => (await bv(['plot', ...args])).stderr;
  expect(await said(a, '--metric', 'train_loss')).toContain('Did you mean "training_loss"');
  expect(await said(temporaryFolder())).toContain('has no metrics');
  expect(await said()).toContain('Missing required argument');
  expect(await said(a, '--out', 'x.pdf')).toContain('neither .svg nor .png');
  expect(await said(a, '--out', join(a, 'none', 'x.svg'))).toContain("Can't write");
});
