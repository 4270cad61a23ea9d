import sharp from 'sharp';
import { allocate, type HostArray, hostArray } from '../../../core/array';
import type { UserError } from '../../../core/errors';
import { viewOf } from '../../../core/schema-view';
import type { Example, ExampleRng } from '../../../core/extensions';
import { exampleRng } from '../../../plugins/input';
import { decodeImage, jpegSize, resizeImage, sampleBox } from '../../../plugins/pp';
import { exampleDigest } from '../../support/seekable';
import { ppRegistry, runPp } from '../../support/pp';

const gradient = (height: number, width: number): HostArray<'uint8'> => {
  const image = allocate('uint8', [height, width, 3]);
  for (let i = 0; i < image.data.length; i++) image.data[i] = (Math.floor(i / 3 / width) * 2 + ((i / 3) | 0) % width) % 256; // prettier-ignore
  return image;
};

const file = (image: HostArray<'uint8'>) => {
  const [height, width, channels] = image.shape as [number, number, 3];
  return sharp(image.data, { raw: { width, height, channels } });
};

async function failure(work: Promise<unknown>): Promise<UserError> {
  return work.then(
    () => {
      throw new Error('no failure');
    },
    (error: unknown) => error as UserError,
  );
}

/** Draws what it is told to. */
const fixedRng = (...values: number[]): ExampleRng => ({
  uniform: () => values.shift()!,
  integer: (low, high) => low + Math.floor(values.shift()! * (high - low)),
});

describe('decode', () => {
  it('reads lossless files exactly', async () => {
    const image = gradient(7, 9);
    for (const bytes of [
      await file(image).png().toBuffer(),
      await file(image).webp({ lossless: true }).toBuffer(),
    ]) {
      expect((await runPp('decode', { image: bytes })).image).toEqual(image);
    }
  });

  it('passes arrays on', async () => {
    const image = gradient(2, 2);
    expect((await runPp('decode', { image })).image).toBe(image);
  });

  it('reads BMP, upwards and downwards, by bytes and with alpha', async () => {
    const header = (width: number, height: number, bits: number, start: number) => {
      const bytes = Buffer.alloc(start);
      bytes.write('BM');
      bytes.writeUInt32LE(start, 10);
      bytes.writeUInt32LE(40, 14);
      bytes.writeInt32LE(width, 18);
      bytes.writeInt32LE(height, 22);
      bytes.writeUInt16LE(bits, 28);
      return bytes;
    };
    // One pixel in a row is padded to four bytes; the order is blue, green, red.
    const rows = Buffer.from([1, 2, 3, 0, 4, 5, 6, 0]);
    const decode = (bytes: Uint8Array) => decodeImage(bytes, { channels: 3, op: 'decode' });
    expect((await decode(Buffer.concat([header(1, 2, 24, 54), rows]))).data).toEqual(Uint8Array.from([6, 5, 4, 3, 2, 1])); // prettier-ignore
    expect((await decode(Buffer.concat([header(1, -2, 24, 54), rows]))).data).toEqual(Uint8Array.from([3, 2, 1, 6, 5, 4])); // prettier-ignore
    expect((await decode(Buffer.concat([header(1, -2, 32, 54), rows]))).data).toEqual(Uint8Array.from([3, 2, 1, 6, 5, 4])); // prettier-ignore
    // The original takes a byte for gray, whatever the palette says.
    const palette = header(1, 1, 8, 62);
    palette.set([0, 0, 0, 0, 7, 8, 9, 0], 54);
    expect((await decode(Buffer.concat([palette, Buffer.from([1, 0, 0, 0])]))).data).toEqual(Uint8Array.from([1, 1, 1])); // prettier-ignore
    expect((await failure(decode(header(1, 2, 24, 54)))).message).toContain('cut off');
  });

  it('says what is wrong with bytes that are no image', async () => {
    const error = await failure(runPp('decode', { image: Buffer.from('no image at all') }));
    expect(error.code).toBe('pp/undecodable');
    expect(error.what).toContain("decode can't read an image from 15 bytes");
    const jpeg = await file(gradient(64, 64)).jpeg().toBuffer();
    expect((await failure(runPp('decode', { image: jpeg.subarray(0, jpeg.length / 2) }))).code).toBe(
      'pp/undecodable',
    );
  });

  it('finds the size of a JPEG in its header', async () => {
    for (const progressive of [false, true]) {
      const bytes = await file(gradient(30, 50)).jpeg({ progressive }).withMetadata().toBuffer();
      expect(jpegSize(bytes)).toEqual({ height: 30, width: 50 });
    }
    expect(jpegSize(await file(gradient(3, 5)).png().toBuffer())).toBeUndefined();
    expect(jpegSize(Uint8Array.from([0xff, 0xd8, 0xff]))).toBeUndefined();
  });

  it('decodes only a window, with the same pixels', async () => {
    const bytes = await file(gradient(60, 80)).jpeg().toBuffer();
    const rng = () => fixedRng(0.5, 0.5, 0.3, 0.4);
    const whole = (await runPp('decode|inception_crop(16)', { image: bytes }, rng())).image;
    const fused = (await runPp('decode_jpeg_and_inception_crop(16)', { image: bytes }, rng())).image;
    expect(fused).toEqual(whole);
    const png = await file(gradient(60, 80)).png().toBuffer();
    const crop = (await runPp('decode_jpeg_and_inception_crop(16)', { image: png }, rng()))
      .image as HostArray;
    expect(crop.shape).toEqual([16, 16, 3]);
  });
});

describe('crops', () => {
  it('boxes have the areas and aspects asked for', () => {
    const options = { area: [0.1, 0.5], aspect: [0.75, 1.33] } as const;
    for (let i = 0; i < 500; i++) {
      const { top, left, height, width } = sampleBox(90, 120, options, exampleRng(0, 0, i));
      expect(top >= 0 && left >= 0 && top + height <= 90 && left + width <= 120).toBe(true);
      const area = (height * width) / (90 * 120);
      expect(area).toBeGreaterThanOrEqual(0.1);
      expect(area).toBeLessThanOrEqual(0.5);
      // A pixel of rounding.
      expect(width).toBeGreaterThanOrEqual(0.75 * height - 1);
      expect(width).toBeLessThanOrEqual(1.33 * height + 1);
    }
  });

  it('takes the whole image when no box fits', () => {
    const box = sampleBox(10, 400, { area: [0.9, 1], aspect: [0.75, 1.33] }, exampleRng(0, 0, 0));
    expect(box).toEqual({ top: 0, left: 0, height: 10, width: 400 });
  });

  it('random_crop reaches every corner', async () => {
    const image = gradient(5, 6);
    const places = new Set<string>();
    for (let i = 0; i < 200; i++) {
      places.add(exampleDigest(await runPp('random_crop((4, 5))', { image }, exampleRng(0, 0, i))));
    }
    expect(places.size).toBe(4);
  });

  it('says when an image is too small', async () => {
    const error = await failure(runPp('central_crop(8)', { image: gradient(4, 9) }));
    expect(error.what).toBe("central_crop can't cut 8x8 pixels out of an image of 4x9.");
    expect((await failure(runPp('random_crop(8)', { image: gradient(4, 9) }))).code).toBe('pp/size');
  });

  it('resizes a window as if it had been cut out before', () => {
    const image = gradient(40, 50);
    const window = { top: 7, left: 11, height: 20, width: 25 };
    const cut = resizeImage(image, [20, 25], { method: 'nearest', antialias: false }, window);
    for (const method of ['bilinear', 'nearest', 'bicubic', 'area', 'lanczos3'] as const) {
      const options = { method, antialias: true };
      expect(resizeImage(image, [9, 31], options, window)).toEqual(resizeImage(cut, [9, 31], options));
    }
  });
});

describe('resize', () => {
  it('keeps a plain area plain, in every method', () => {
    const image = allocate('uint8', [23, 31, 3]);
    image.data.fill(200);
    for (const method of ['bilinear', 'nearest', 'bicubic', 'area', 'lanczos3', 'mitchellcubic'] as const) {
      for (const antialias of [false, true]) {
        const { data } = resizeImage(image, [11, 50], { method, antialias });
        expect(data.every((value) => Math.abs(value - 200) <= 1)).toBe(true);
      }
    }
  });

  it('takes videos frame by frame', async () => {
    const [a, b] = [gradient(8, 8), gradient(8, 8)];
    b.data.reverse();
    const video = hostArray('uint8', [2, 8, 8, 3], [...a.data, ...b.data]);
    const { image } = (await runPp('resize(5)', { image: video })) as { image: HostArray };
    const frames = await Promise.all([a, b].map((frame) => runPp('resize(5)', { image: frame })));
    expect([...image.data]).toEqual(frames.flatMap((frame) => [...(frame.image as HostArray).data]));
  });

  it('refuses to make an image vanish', async () => {
    const error = await failure(runPp('resize_long(5)', { image: gradient(1, 40) }));
    expect(error.what).toBe('resize_long would make an image of 1x40 pixels 0x5.');
  });
});

describe('keys and labels', () => {
  it('reads and writes the keys that are named', async () => {
    const example = { a: gradient(4, 4), image: gradient(6, 6) };
    const shapes = async (pp: string) =>
      Object.fromEntries(
        Object.entries(await runPp(pp, example)).map(([k, v]) => [k, (v as HostArray).shape[0]]),
      );
    expect(await shapes("resize(2, key='a')")).toEqual({ a: 2, image: 6 });
    expect(await shapes("resize(2, inkey='a')")).toEqual({ a: 4, image: 2 });
    expect(await shapes("resize(2, inkey='a', outkey='b')")).toEqual({ a: 4, image: 6, b: 2 });
    expect(await shapes("resize(2, key='a', outkey='b')")).toEqual({ a: 2, image: 6 });
  });

  it('names the features that are there when one is missing', async () => {
    const error = await failure(runPp('onehot(10)', { label: 3, image: gradient(1, 1) }));
    expect(error.what).toBe(
      'onehot finds no "labels" in the example, which has label, image. Did you mean "label"?',
    );
  });

  it('refuses labels that are no classes', async () => {
    const labels = hostArray('int32', [2], [1, 10]);
    const error = await failure(runPp('onehot(10)', { labels }));
    expect(error.what).toBe("onehot finds the label 10, which isn't one of 0 to 9.");
  });

  it('shuffles answers that are a list, and names what is none', async () => {
    const asked = { choices: ['banana', 'apple', 'pear'], answer: 1 };
    const { indexed_choices, indexed_answer } = await runPp('sci_qa_choices_shuffle', asked);
    expect(indexed_choices).toContain(`(${String(indexed_answer)}) apple`);
    const error = await failure(runPp('sci_qa_choices_shuffle', { ...asked, choices: 'banana' }));
    expect(error.message).toContain('expects "choices" to be a list of texts, found the text "banana"');
  });

  it('asks for decode where bytes are left', async () => {
    const error = await failure(runPp('value_range(-1, 1)', { image: Uint8Array.from([1]) }));
    expect(error.fix).toBe('put decode before value_range.');
  });

  it('checks options for each channel', async () => {
    const error = await failure(runPp('value_range(0, 1, [0, 0], 255)', { image: gradient(2, 2) }));
    expect(error.what).toContain(
      'has an option with 2 values, one for each channel, but uint8[2, 2, 3] has 3 channels',
    );
  });
});

describe('every op', () => {
  it('documents itself and its options', () => {
    for (const { name, implementation } of ppRegistry.list('pp')) {
      expect([name, implementation.doc.length > 10]).toEqual([name, true]);
      for (const [option, schema] of Object.entries(viewOf(implementation.options).properties ?? {})) {
        expect([name, option, typeof schema.description]).toEqual([name, option, 'string']);
      }
    }
  });

  it.each([
    'resize(5)',
    'resize(8)',
    'resize_small(4)',
    'central_crop(4)',
    'random_crop(4)',
    'inception_crop(4)',
    'flip_lr',
    'value_range',
    'vgg_value_range',
    "onehot(10, key='label', key_result='labels')",
    "pad_to_shape((9, 9, 3))|reshape((-1,))|copy('image', 'b')|concat(['image', 'b'])",
    "setdefault('more', 1)|drop('label')|flatten",
  ])('leaves its input as it was: %s', async (pp) => {
    const example: Example = { image: gradient(8, 8), label: hostArray('int32', [], [3]) };
    const before = exampleDigest(example);
    const results = await Promise.all([1, 1].map((index) => runPp(pp, example, exampleRng(0, 0, index))));
    expect(exampleDigest(example)).toBe(before);
    // And depends on its random numbers alone.
    expect(exampleDigest(results[0]!)).toBe(exampleDigest(results[1]!));
  });
});
