// Resizing as TensorFlow 2's `tf.image.resize` does it: half-pixel centres, and each method's own treatment of edges.
// Every method but nearest is separable: an axis becomes a table of taps (which inputs an output is made of, and their
// weights), and rows are blended before columns.

import { allocate, type HostArray } from '../../core/array';
import { roundHalfEven } from '../../core/round';

export const resizeMethods = [
  'bilinear',
  'nearest',
  'bicubic',
  'area',
  'lanczos3',
  'lanczos5',
  'gaussian',
  'mitchellcubic',
] as const;
export type ResizeMethod = (typeof resizeMethods)[number];

/** Methods that blend neighbours even where an output falls on the centre of an input. */
const smoothing: ReadonlySet<ResizeMethod> = new Set(['gaussian', 'mitchellcubic']);

export interface ResizeOptions {
  readonly method: ResizeMethod;
  readonly antialias: boolean;
}

export type PixelType = 'uint8' | 'float32' | 'int32';
type Pixels = Uint8Array | Float32Array | Int32Array;

/** A rectangle of an image: cropping without a copy. */
export interface Window {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** For each output the first of `count` neighbouring inputs, and the weights of these. */
interface Taps {
  readonly count: number;
  readonly starts: Int32Array;
  readonly weights: Float64Array;
  /** No weight is negative, so that nothing leaves the range of the inputs. */
  readonly convex: boolean;
}

const { fround } = Math;

/** The image (height, width, channels), or a window of it, at a new size; integers are clipped and truncated. */
export function resizeImage<D extends PixelType>(
  image: HostArray<D>,
  [height, width]: readonly [number, number],
  options: ResizeOptions,
  window: Window = { top: 0, left: 0, height: image.shape[0] as number, width: image.shape[1] as number },
): HostArray<D> {
  const [, fullWidth, channels] = image.shape as [number, number, number];
  const out = allocate(image.dtype, [height, width, channels]);
  const stride = fullWidth * channels;
  const source = (image.data as Pixels).subarray(window.top * stride + window.left * channels);
  const sameSize = height === window.height && width === window.width;
  if (sameSize && !smoothing.has(options.method)) {
    copyRows(source, stride, out.data as Pixels, width * channels);
  } else if (options.method === 'nearest') {
    nearest(source, stride, window, out);
  } else {
    const rows = tapsOf(options, window.height, height);
    const columns = tapsOf(options, window.width, width);
    blend(source, stride, window.width, channels, rows, columns, out.data as Pixels);
  }
  return out;
}

/** The window's pixels, without resizing. */
export function cropImage<D extends PixelType>(image: HostArray<D>, window: Window): HostArray<D> {
  return resizeImage(image, [window.height, window.width], { method: 'nearest', antialias: false }, window);
}

function copyRows(source: Pixels, stride: number, target: Pixels, rowLength: number): void {
  for (let to = 0, from = 0; to < target.length; to += rowLength, from += stride) {
    target.set(source.subarray(from, from + rowLength), to);
  }
}

function blend(
  source: Pixels,
  stride: number,
  width: number,
  channels: number,
  rows: Taps,
  columns: Taps,
  target: Pixels,
): void {
  const row = new Float32Array(width * channels);
  if (channels === 3 && columns.count === 2 && columns.convex && rows.convex) {
    for (let y = 0, to = 0; y < rows.starts.length; y++, to += columns.starts.length * 3) {
      blendRows(source, stride, rows, y, row);
      blendColumnPairs(row, columns, target, to);
    }
    return;
  }
  const line = new Float32Array(columns.starts.length * channels);
  for (let y = 0, to = 0; y < rows.starts.length; y++, to += line.length) {
    blendRows(source, stride, rows, y, row);
    if (channels !== 3) blendColumns(row, channels, columns, line);
    else blendColumns3(row, columns, line);
    if (target instanceof Uint8Array) {
      for (let i = 0; i < line.length; i++) {
        const value = line[i] as number;
        target[to + i] = value <= 0 ? 0 : value >= 255 ? 255 : value;
      }
    } else if (target instanceof Int32Array) {
      for (let i = 0; i < line.length; i++)
        target[to + i] = Math.max(minInt, Math.min(maxInt, line[i] as number));
    } else target.set(line, to);
  }
}

const [minInt, maxInt] = [-(2 ** 31), 2 ** 31 - 1];

/** Up to four rows in a pass: reading and writing the sums is what takes time. */
function blendRows(
  source: Pixels,
  stride: number,
  { count, starts, weights }: Taps,
  y: number,
  row: Float32Array,
): void {
  const length = row.length;
  for (let k = 0; k < count; k += 4) {
    const r0 = ((starts[y] as number) + k) * stride;
    const w0 = weights[y * count + k] as number;
    const w1 = k + 1 < count ? (weights[y * count + k + 1] as number) : 0;
    const w2 = k + 2 < count ? (weights[y * count + k + 2] as number) : 0;
    const w3 = k + 3 < count ? (weights[y * count + k + 3] as number) : 0;
    const r1 = w1 === 0 ? r0 : r0 + stride;
    const r2 = w2 === 0 ? r0 : r0 + 2 * stride;
    const r3 = w3 === 0 ? r0 : r0 + 3 * stride;
    if (k > 0) {
      for (let i = 0; i < length; i++) {
        row[i] =
          (row[i] as number) +
          (source[r0 + i] as number) * w0 +
          (source[r1 + i] as number) * w1 +
          (source[r2 + i] as number) * w2 +
          (source[r3 + i] as number) * w3;
      }
    } else if (w2 !== 0 || w3 !== 0) {
      for (let i = 0; i < length; i++) {
        row[i] =
          (source[r0 + i] as number) * w0 +
          (source[r1 + i] as number) * w1 +
          (source[r2 + i] as number) * w2 +
          (source[r3 + i] as number) * w3;
      }
    } else if (w1 !== 0) {
      for (let i = 0; i < length; i++)
        row[i] = (source[r0 + i] as number) * w0 + (source[r1 + i] as number) * w1;
    } else for (let i = 0; i < length; i++) row[i] = (source[r0 + i] as number) * w0;
  }
}

/** The usual case, straight into the result, which truncates by itself. */
function blendColumnPairs(row: Float32Array, { starts, weights }: Taps, target: Pixels, first: number): void {
  for (let x = 0, to = first; x < starts.length; x++, to += 3) {
    const from = (starts[x] as number) * 3;
    const w0 = weights[2 * x] as number;
    const w1 = weights[2 * x + 1] as number;
    target[to] = (row[from] as number) * w0 + (row[from + 3] as number) * w1;
    target[to + 1] = (row[from + 1] as number) * w0 + (row[from + 4] as number) * w1;
    target[to + 2] = (row[from + 2] as number) * w0 + (row[from + 5] as number) * w1;
  }
}

function blendColumns3(row: Float32Array, { count, starts, weights }: Taps, line: Float32Array): void {
  for (let x = 0, at = 0, to = 0; x < starts.length; x++, to += 3) {
    let a = 0;
    let b = 0;
    let c = 0;
    for (let k = 0, from = (starts[x] as number) * 3; k < count; k++, from += 3, at++) {
      const w = weights[at] as number;
      a += (row[from] as number) * w;
      b += (row[from + 1] as number) * w;
      c += (row[from + 2] as number) * w;
    }
    line[to] = a;
    line[to + 1] = b;
    line[to + 2] = c;
  }
}

function blendColumns(
  row: Float32Array,
  channels: number,
  { count, starts, weights }: Taps,
  line: Float32Array,
): void {
  for (let x = 0, to = 0; x < starts.length; x++) {
    const first = (starts[x] as number) * channels;
    for (let channel = 0; channel < channels; channel++, to++) {
      let sum = 0;
      for (let k = 0, from = first + channel; k < count; k++, from += channels) {
        sum += (row[from] as number) * (weights[x * count + k] as number);
      }
      line[to] = sum;
    }
  }
}

function nearest(source: Pixels, stride: number, window: Window, out: HostArray): void {
  const [height, width, channels] = out.shape as [number, number, number];
  const index = (x: number, size: number, newSize: number) =>
    Math.min(size - 1, Math.floor(fround(fround(x + 0.5) * fround(size / newSize))));
  const columns = Int32Array.from({ length: width }, (_, x) => index(x, window.width, width) * channels);
  const target = out.data as Pixels;
  for (let y = 0, to = 0; y < height; y++) {
    const row = index(y, window.height, height) * stride;
    for (let x = 0; x < width; x++) {
      const from = row + (columns[x] as number);
      for (let channel = 0; channel < channels; channel++) target[to++] = source[from + channel] as number;
    }
  }
}

// ---- Taps --------------------------------------------------------------------------------------------------------------
// The positions and weights are computed in float32 with the original's order of operations: a position that differs in its
// last bit can move a tap by one.

function tapsOf({ method, antialias }: ResizeOptions, size: number, newSize: number): Taps {
  switch (method) {
    case 'bilinear':
      return antialias ? kernelTaps(kernels.triangle, true, size, newSize) : bilinearTaps(size, newSize);
    case 'bicubic':
      return antialias ? kernelTaps(kernels.keyscubic, true, size, newSize) : bicubicTaps(size, newSize);
    case 'area':
      return areaTaps(size, newSize);
    case 'nearest':
      throw new Error('nearest has no taps');
    default:
      return kernelTaps(kernels[method], antialias, size, newSize);
  }
}

/** `fill` adds the weights of one output; indices outside of the image count as its edge. */
function makeTaps(
  size: number,
  newSize: number,
  count: number,
  fill: (x: number, add: (index: number, weight: number) => void) => number,
): Taps {
  const taps = {
    count: Math.min(count, size),
    starts: new Int32Array(newSize),
    weights: new Float64Array(newSize * Math.min(count, size)),
    convex: true,
  };
  const indices: number[] = [];
  const values: number[] = [];
  for (let x = 0; x < newSize; x++) {
    indices.length = values.length = 0;
    const first = fill(x, (index, weight) => {
      indices.push(index);
      values.push(weight);
    });
    const start = Math.max(0, Math.min(first, size - taps.count));
    taps.starts[x] = start;
    for (let k = 0; k < indices.length; k++) {
      const index = Math.max(0, Math.min(size - 1, indices[k] as number));
      taps.weights[x * taps.count + index - start]! += values[k] as number;
      if ((values[k] as number) < 0) taps.convex = false;
    }
  }
  return taps;
}

/** Where the centre of an output falls among the centres of the inputs. */
function centre(x: number, scale: number): number {
  return fround(fround(fround(x + 0.5) * scale) - 0.5);
}

function bilinearTaps(size: number, newSize: number): Taps {
  const scale = fround(size / newSize);
  return makeTaps(size, newSize, 2, (x, add) => {
    const position = centre(x, scale);
    const lower = Math.floor(position);
    const fraction = fround(position - lower);
    add(lower, 1 - fraction);
    if (fraction > 0) add(lower + 1, fraction);
    return lower;
  });
}

const cubicSteps = 1024;

/** Keys' cubic (a = -0.5) at a distance of `i` steps, below 1 and from 1 on, in the original's float32 steps. */
function keysNear(i: number): number {
  const x = fround(i / cubicSteps);
  return fround((1.5 * x - 2.5) * x * x + 1);
}
function keysFar(i: number): number {
  const x = fround(i / cubicSteps + 1);
  return fround(((-0.5 * x + 2.5) * x - 4) * x + 2);
}

function bicubicTaps(size: number, newSize: number): Taps {
  const scale = fround(size / newSize);
  return makeTaps(size, newSize, 4, (x, add) => {
    const position = centre(x, scale);
    const lower = Math.floor(position);
    const step = roundHalfEven(fround(position - lower) * cubicSteps);
    const weights = [keysFar(step), keysNear(step), keysNear(cubicSteps - step), keysFar(cubicSteps - step)];
    const inside = weights.map((weight, k) => (lower - 1 + k >= 0 && lower - 1 + k < size ? weight : 0));
    const sum = inside.reduce((total, weight) => fround(total + weight), 0);
    inside.forEach((weight, k) => weight !== 0 && add(lower - 1 + k, fround(weight * fround(1 / sum))));
    return lower - 1;
  });
}

/** Each input weighs as much as the output's square covers of it. */
function areaTaps(size: number, newSize: number): Taps {
  const scale = fround(size / newSize);
  return makeTaps(size, newSize, Math.ceil(scale) + 1, (x, add) => {
    const from = fround(x * scale);
    const to = fround((x + 1) * scale);
    const end = Math.ceil(to);
    for (let i = Math.floor(from); i < end; i++) {
      const covered =
        i < from ? (i + 1 > to ? scale : fround(i + 1 - from)) : i + 1 > to ? fround(to - i) : 1;
      add(i, covered / scale);
    }
    return Math.floor(from);
  });
}

interface Kernel {
  readonly radius: number;
  /** At a distance from 0 on. */
  readonly at: (x: number) => number;
}

function lanczos(radius: number): Kernel {
  const at = (x: number) => {
    if (x > radius) return 0;
    if (x <= 1e-3) return 1;
    return (radius * Math.sin(Math.PI * x) * Math.sin((Math.PI * x) / radius)) / (Math.PI * Math.PI * x * x);
  };
  return { radius, at };
}

const kernels = {
  triangle: { radius: 1, at: (x) => (x < 1 ? 1 - x : 0) },
  keyscubic: {
    radius: 2,
    at: (x) => (x >= 2 ? 0 : x >= 1 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : (1.5 * x - 2.5) * x * x + 1),
  },
  mitchellcubic: {
    radius: 2,
    at: (x) =>
      x >= 2
        ? 0
        : x >= 1
          ? (((-7 / 18) * x + 2) * x - 10 / 3) * x + 16 / 9
          : ((7 / 6) * x - 2) * x * x + 8 / 9,
  },
  // Standard deviation 0.5, cut at three of them.
  gaussian: { radius: 1.5, at: (x) => (x >= 1.5 ? 0 : Math.exp(-2 * x * x)) },
  lanczos3: lanczos(3),
  lanczos5: lanczos(5),
} satisfies Record<string, Kernel>;

/** A kernel around each output's centre; with `antialias` it widens with the step between outputs. */
function kernelTaps({ radius, at }: Kernel, antialias: boolean, size: number, newSize: number): Taps {
  const step = fround(1 / fround(newSize / size));
  const spread = antialias ? Math.max(step, 1) : 1;
  const reach = fround(radius * spread);
  return makeTaps(size, newSize, 2 * Math.ceil(reach) + 1, (x, add) => {
    const position = fround(fround(x + 0.5) * step);
    const clamp = (index: number) => Math.max(0, Math.min(size - 1, index));
    const first = clamp(Math.ceil(fround(fround(position - reach) - 0.5)));
    const last = clamp(Math.floor(fround(fround(position + reach) - 0.5)));
    const weights: number[] = [];
    for (let i = first; i <= last; i++) {
      weights.push(fround(at(Math.abs(fround(fround(fround(i + 0.5) - position) * fround(1 / spread))))));
    }
    const sum = weights.reduce((total, weight) => fround(total + weight), 0);
    weights.forEach((weight, k) => add(first + k, fround(weight * fround(1 / sum))));
    return first;
  });
}
