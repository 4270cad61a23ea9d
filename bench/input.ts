// Throughput of the input pipeline: JPEGs a second through the training preprocessing of ImageNet, and batches of MNIST.
//
//   node -r ./core/register bench/input.ts [--images N] [--seconds S] [--workers 0,1,2]
//
// For comparison, tf.data's decode_and_crop with the same ops makes 540 to 700 of such images a second on 2 cores.

import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { type InputPipeline, type OpenedInput, tokens } from '../core/train/run';
import { packageRoot } from '../core/workspace/paths';
import { openSession } from '../core/workspace/session';
import { exampleRng } from '../plugins/input';
import { jpegSize, resizeImage } from '../plugins/pp';
import { allocate } from '../core/array';

const { values } = parseArgs({
  options: {
    images: { type: 'string', default: '128' },
    seconds: { type: 'string', default: '8' },
    workers: { type: 'string', default: '0,1,2' },
  },
});
const seconds = Number(values.seconds);

/** Smooth shapes under noise compress like photographs: about 90 KB at this size. */
async function makeImages(folder: string, count: number): Promise<number> {
  fs.mkdirSync(path.join(folder, 'class'), { recursive: true });
  let bytes = 0;
  for (let i = 0; i < count; i++) {
    const rng = exampleRng(0, 0, i);
    const coarse = allocate('uint8', [24, 32, 3]);
    for (let k = 0; k < coarse.data.length; k++) coarse.data[k] = rng.integer(0, 256);
    const image = resizeImage(coarse, [375, 500], { method: 'bicubic', antialias: false });
    for (let k = 0; k < image.data.length; k++) {
      image.data[k] = Math.max(0, Math.min(255, image.data[k]! + rng.integer(-14, 15)));
    }
    const raw = { width: 500, height: 375, channels: 3 } as const;
    const jpeg = await sharp(image.data, { raw })
      .jpeg({ quality: 90, chromaSubsampling: '4:2:0' })
      .toBuffer();
    if (jpegSize(jpeg)?.width !== 500) throw new Error('not the size that was asked for');
    fs.writeFileSync(path.join(folder, 'class', `${i}.jpg`), jpeg);
    bytes += jpeg.length;
  }
  return bytes / count;
}

interface Rate {
  readonly perSecond: number;
  /** Of processor time of all threads, which others on the machine don't change much. */
  readonly perCoreSecond: number;
}

/** Of batches, after the first two: threads still start then, and code is still compiled. */
async function rate(input: OpenedInput): Promise<Rate> {
  const stream = input.batches(0);
  const take = async () => {
    const batch = await stream.next();
    if (batch) stream.release?.(batch);
  };
  await take();
  await take();
  const start = performance.now();
  const used = process.cpuUsage();
  let batches = 0;
  while (performance.now() - start < seconds * 1000) {
    await take();
    batches++;
  }
  const perSecond = batches / ((performance.now() - start) / 1000);
  const { user, system } = process.cpuUsage(used);
  await stream.close();
  return { perSecond, perCoreSecond: batches / ((user + system) / 1e6) };
}

function report(name: string, workers: number, { perSecond, perCoreSecond }: Rate, batch_size: number): void {
  const [images, perCore] = [perSecond * batch_size, perCoreSecond * batch_size];
  const column = (value: number) => value.toFixed(0).padStart(7);
  console.log(
    `${name.padEnd(42)} ${workers} workers ${column(images)} images/s, ${column(perCore)} per second of one core`,
  );
}

async function jpegs(pipeline: InputPipeline, folder: string): Promise<void> {
  const pps = {
    'decode_jpeg_and_inception_crop(224)': "decode_jpeg_and_inception_crop(224)|flip_lr|keep('image')",
    'decode, inception_crop(224)': "decode|inception_crop(224)|flip_lr|keep('image')",
    '... and value_range(-1, 1)':
      "decode_jpeg_and_inception_crop(224)|flip_lr|value_range(-1, 1)|keep('image')",
    'decode, resize_small(256), central_crop': "decode|resize_small(256)|central_crop(224)|keep('image')",
  };
  const batch_size = 64;
  for (const [name, pp] of Object.entries(pps)) {
    for (const workers of values.workers.split(',').map(Number)) {
      const data = { name: 'folder', path: folder };
      const input = await pipeline.train({ data, pp, batch_size, workers, prefetch: 2, shuffle: true }, 0);
      report(name, workers, await rate(input), batch_size);
      await input.close();
    }
  }
}

async function digits(pipeline: InputPipeline): Promise<void> {
  const pp = "value_range(-1, 1)|onehot(10)|keep('image', 'labels')";
  for (const batch_size of [128, 1024]) {
    const data = { name: 'mnist', split: 'train' };
    const input = await pipeline.train({ data, pp, batch_size, workers: 0, prefetch: 2, shuffle: true }, 0);
    report(`mnist, batches of ${batch_size}`, 0, await rate(input), batch_size);
    await input.close();
  }
}

async function main(): Promise<void> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'bv-bench-'));
  try {
    const mean = await makeImages(folder, Number(values.images));
    console.log(`${os.availableParallelism()} cores, ${values.images} JPEGs of 500x375, ${(mean / 1024).toFixed(0)} KB each`); // prettier-ignore
    const pipeline = openSession(packageRoot).container.get(tokens.input);
    await digits(pipeline);
    await jpegs(pipeline, folder);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

void main();
