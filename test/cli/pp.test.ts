import { join } from 'node:path';
import sharp from 'sharp';
import { bv } from '../support/cli';
import { temporaryFolder } from '../support/temporary';

it('bv pp draws a grid, and says what is wrong with ops and files', async () => {
  const folder = temporaryFolder();
  const image = join(folder, 'a.png');
  await sharp({ create: { width: 40, height: 30, channels: 3, background: 'red' } })
    .png()
    .toFile(image);
  const out = join(folder, 'grid.png');
  const result = await bv(['pp', 'resize(20)|value_range(-1, 1)', image, '--out', out, '--repeat', '2']);
  expect(result).toMatchObject({ code: 0, stdout: `${out}: 1 image, 2 draws each\n` });
  const { width, height } = await sharp(out).metadata();
  expect(width).toBeGreaterThan(3 * 96);
  expect(height).toBeGreaterThan(30);
  const unknown = await bv(['pp', 'resiz(20)', image]);
  expect(unknown.stderr).toContain('Did you mean "resize"');
  const missing = await bv(['pp', 'resize(20)', join(folder, 'b.png')]);
  expect(missing.stderr).toContain("Can't read");
});
