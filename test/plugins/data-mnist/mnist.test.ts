import * as fs from 'node:fs';
import * as path from 'node:path';
import type { HostArray } from '../../../core/array';
import type { DataSource } from '../../../core/extensions';
import { mnist, readDigits } from '../../../plugins/data-mnist';
import { exampleDigest, expectPure } from '../../support/seekable';
import { temporaryFolder } from '../../support/temporary';

const folder = temporaryFolder();
const digits = readDigits(folder);
const [train, test] = [mnist('train', digits), mnist('test', digits)];

const labels = (source: DataSource) =>
  Array.from(
    { length: source.size },
    (_, i) => (source.get(i) as { label: HostArray }).label.data[0] as number,
  );

const countsOf = (values: readonly number[]) => {
  const counts = new Array<number>(10).fill(0);
  for (const value of values) counts[value]!++;
  return counts;
};

describe('mnist', () => {
  it('has 10,000 digits, of which 1,500 are for testing', () => {
    expect([train.size, test.size]).toEqual([8500, 1500]);
    expect(countsOf(labels(test))).toEqual(new Array(10).fill(150));
    expect(Math.min(...countsOf(labels(train)))).toBeGreaterThan(700);
    expect(train.classes).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  });

  it('has no image in both splits', async () => {
    const seen = new Set<string>();
    for (let i = 0; i < train.size; i++) seen.add(exampleDigest({ image: (await train.get(i)).image! }));
    for (let i = 0; i < test.size; i++) {
      expect(seen.has(exampleDigest({ image: (await test.get(i)).image! }))).toBe(false);
    }
  });

  it('gives bytes that are the package, exactly', async () => {
    const { image, label } = (await test.get(3)) as { image: HostArray; label: HostArray };
    expect([image.dtype, image.shape, label.dtype, label.shape]).toEqual(['uint8', [28, 28, 1], 'int32', []]);
    expect([...label.data]).toEqual([3]);
    const file = path.join(path.dirname(require.resolve('mnist/package.json')), 'src/digits/3.json');
    const { data } = JSON.parse(fs.readFileSync(file, 'utf8')) as { data: number[] };
    // The first of each class is a test image.
    expect([...image.data]).toEqual(data.slice(0, 784).map((value) => Math.round(value * 255)));
  });

  it('mixes the classes in the order of the data', () => {
    expect(labels(train).slice(0, 20)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('takes the first so many', () => {
    expect(countsOf(labels(mnist('train', digits, 100)))).toEqual(new Array(10).fill(10));
    expect(mnist('test', digits, 10_000).size).toBe(1500);
  });

  it('is pure', () => expectPure(() => mnist('train', digits)));

  it('reads its packed copy the same, and a broken one not at all', () => {
    const [file] = fs.readdirSync(folder);
    expect(readDigits(folder).images.map((bytes) => bytes.length)).toEqual(
      digits.images.map((bytes) => bytes.length),
    );
    expect(
      readDigits(folder).images.every((bytes, i) => Buffer.compare(bytes, digits.images[i]!) === 0),
    ).toBe(true);
    const packed = path.join(folder, file!);
    fs.truncateSync(packed, 1000);
    expect(readDigits(folder).images.map((bytes) => bytes.length)).toEqual(
      digits.images.map((bytes) => bytes.length),
    );
    expect(fs.statSync(packed).size).toBe(64 + 10_000 * 784);
  });

  it('does without a copy where nothing can be written', () => {
    const file = path.join(temporaryFolder(), 'a-file');
    fs.writeFileSync(file, '');
    expect(readDigits(path.join(file, 'no-folder')).images).toHaveLength(10);
  });
});
