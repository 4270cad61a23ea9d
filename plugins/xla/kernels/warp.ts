// Images whose elements come from elsewhere in the image: rotation and projective transforms.

import { backend_util, type RotateWithOffsetAttrs, type TransformAttrs } from '@tensorflow/tfjs-core';
import * as hlo from '../stablehlo';
import type { Value } from '../stablehlo';
import { take } from './indexing';
import { withScalar } from './shapes';
import { lower, type LoweringTable } from './types';

function rotate(image: Value, { radians, fillValue, center }: RotateWithOffsetAttrs): Value {
  const { graph, shape } = image;
  const [batch, height, width, channels] = shape as [number, number, number, number];
  const [centerX, centerY] = backend_util.getImageCenter(center, height, width);
  const [sin, cos] = [Math.sin(radians), Math.cos(radians)];
  const places = new Int32Array(height * width);
  const inside = new Uint8Array(height * width);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const fromX = Math.round((x - centerX) * cos - (y - centerY) * sin + centerX);
      const fromY = Math.round((x - centerX) * sin + (y - centerY) * cos + centerY);
      if (fromX < 0 || fromX >= width || fromY < 0 || fromY >= height) continue;
      places[y * width + x] = fromY * width + fromX;
      inside[y * width + x] = 1;
    }
  }
  const flat = hlo.reshape(image, [batch, height * width, channels]);
  const moved = take(flat, hlo.dense(graph, 'i32', [height * width], places), 1, 0);
  // Bytes, because a constant of many i1 can't be printed compactly.
  const mask = hlo.dense(graph, 'ui8', [height * width], inside);
  const valid = hlo.broadcastInDim(hlo.compare('NE', mask, hlo.splatLike(mask, 0)), moved.shape, [1]);
  const opaque = 255;
  const colors = Array.from({ length: channels }, (_, i) =>
    typeof fillValue === 'number' ? fillValue : i === 3 ? opaque : fillValue[i]!,
  );
  const fill = hlo.convert(hlo.dense(graph, 'f32', [channels], Float32Array.from(colors)), image.type);
  return hlo.reshape(hlo.select(valid, moved, hlo.broadcastInDim(fill, moved.shape, [2])), shape);
}

const trunc = (x: Value) => hlo.convert(hlo.convert(x, 'i32'), x.type);
const clampTo = (x: Value, size: number) =>
  hlo.clamp(hlo.scalar(x.graph, x.type, 0), x, hlo.scalar(x.graph, x.type, size - 1));
const scaled = (x: Value, by: number) => withScalar(hlo.multiply, x, by);
const shifted = (x: Value, by: number) => withScalar(hlo.add, x, by);
const below = (x: Value, limit: number) => withScalar((a, b) => hlo.compare('LT', a, b), x, limit);
const above = (x: Value, limit: number) => withScalar((a, b) => hlo.compare('GT', a, b), x, limit);

/** A coordinate outside of an axis of `size`, as tfjs brings it back. */
function mapCoordinate(x: Value, size: number, mode: TransformAttrs['fillMode']): Value {
  if (mode === 'constant') return x;
  if (mode === 'nearest' || size <= 1) return clampTo(x, size);
  const inSteps = (step: number, by: number, extra: number) =>
    scaled(shifted(trunc(scaled(hlo.negate(x), 1 / step)), extra), by);
  if (mode === 'wrap') {
    const low = hlo.add(x, inSteps(size - 1, size, 1));
    const high = hlo.subtract(x, scaled(trunc(scaled(x, 1 / (size - 1))), size));
    return clampTo(hlo.select(below(x, 0), low, hlo.select(above(x, size - 1), high, x)), size);
  }
  const period = 2 * size;
  const folded = hlo.add(x, inSteps(period, period, 0));
  const low = hlo.select(below(folded, -size), shifted(folded, period), shifted(hlo.negate(folded), -1));
  const rest = hlo.subtract(x, scaled(trunc(scaled(x, 1 / period)), period));
  const high = hlo.select(below(rest, size), rest, shifted(hlo.negate(rest), period - 1));
  return clampTo(hlo.select(below(x, 0), low, hlo.select(above(x, size - 1), high, x)), size);
}

/** images: [n, h, w, c], transforms: [n or 1, 8]: each output place is projected to a place in the image. */
function transform(image: Value, transforms: Value, attrs: TransformAttrs): Value {
  const { graph } = image;
  const [batch, height, width, channels] = image.shape as [number, number, number, number];
  const [rows, columns] = attrs.outputShape ?? [height, width];
  const grid = [batch, rows, columns];
  const result = [...grid, channels];
  const all = hlo.broadcastInDim(transforms, [batch, 8], [0, 1]);
  const coefficient = (i: number) =>
    hlo.broadcastInDim(hlo.reshape(hlo.slice(all, [0, i], [batch, i + 1]), [batch]), grid, [0]);
  const [outX, outY] = [hlo.iota(graph, 'f32', grid, 2), hlo.iota(graph, 'f32', grid, 1)];
  const linear = (a: number, b: number) =>
    hlo.add(hlo.multiply(coefficient(a), outX), hlo.multiply(coefficient(b), outY));
  const projection = shifted(linear(6, 7), 1);
  const x = mapCoordinate(
    hlo.divide(hlo.add(linear(0, 1), coefficient(2)), projection),
    width,
    attrs.fillMode,
  );
  const y = mapCoordinate(
    hlo.divide(hlo.add(linear(3, 4), coefficient(5)), projection),
    height,
    attrs.fillMode,
  );

  const flat = hlo.reshape(image, [batch, height * width, channels]);
  const fill = hlo.splat(graph, image.type, result, attrs.fillValue);
  const perPixel = (value: Value) => hlo.broadcastInDim(value, result, [0, 1, 2]);
  const read = (atY: Value, atX: Value): Value => {
    const outside = [below(atY, 0), above(atY, height - 1), below(atX, 0), above(atX, width - 1)].reduce(
      hlo.or,
    );
    const place = hlo.add(scaled(clampTo(atY, height), width), clampTo(atX, width));
    const indices = hlo.reshape(hlo.convert(place, 'i32'), [batch, rows * columns]);
    return hlo.select(perPixel(outside), fill, hlo.reshape(take(flat, indices, 1, 1), result));
  };
  const valid = perPixel(withScalar((a, b) => hlo.compare('NE', a, b), projection, 0));
  if (attrs.interpolation === 'nearest') {
    const round = (at: Value) => hlo.floor(shifted(at, 0.5));
    return hlo.select(valid, read(round(y), round(x)), fill);
  }
  const between = (low: Value, high: Value, fraction: Value) =>
    hlo.add(
      hlo.multiply(shifted(hlo.negate(perPixel(fraction)), 1), low),
      hlo.multiply(perPixel(fraction), high),
    );
  const [top, left] = [hlo.floor(y), hlo.floor(x)];
  const row = (at: Value) => between(read(at, left), read(at, shifted(left, 1)), hlo.subtract(x, left));
  return hlo.select(valid, between(row(top), row(shifted(top, 1)), hlo.subtract(y, top)), fill);
}

export const warps = {
  RotateWithOffset: lower<'image', RotateWithOffsetAttrs>(({ image }, attrs) => rotate(image, attrs)),
  Transform: lower<'image' | 'transforms', TransformAttrs>(({ image, transforms }, attrs) =>
    transform(image, transforms, attrs),
  ),
} satisfies LoweringTable;
