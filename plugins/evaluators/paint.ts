// Arrays as pictures that one can look at: colours in a range, quantities as heat, and masks of classes and instances.

import { allocate, type HostArray } from '../../core/array';

export const kinds = ['image', 'heat', 'segments'] as const;
export type Kind = (typeof kinds)[number];
export type Range = readonly [low: number, high: number];
type Rgb = readonly [red: number, green: number, blue: number];

/** Viridis (van der Walt and Smith), at equal distances. */
const viridis: readonly Rgb[] = [
  [68, 1, 84],
  [59, 82, 139],
  [33, 145, 140],
  [94, 201, 98],
  [253, 231, 37],
];

/** @param at 0 to 1 */
function heat(at: number): Rgb {
  const place = Math.max(0, Math.min(1, at)) * (viridis.length - 1);
  const lower = Math.min(viridis.length - 2, Math.floor(place));
  const [from, to] = [viridis[lower], viridis[lower + 1]] as [Rgb, Rgb];
  return [0, 1, 2].map((c) => from[c]! + (place - lower) * (to[c]! - from[c]!)) as unknown as Rgb;
}

/** The hue tells the class, how light it is the instance; class 0 is black, and less than that, which is no label, grey. */
function segment(class_: number, instance: number): Rgb {
  if (class_ === 0) return [0, 0, 0];
  if (class_ < 0) return [90, 90, 90];
  // Multiples of the golden ratio lie far apart.
  const hue = (class_ * 0.618034) % 1;
  const light = 0.4 + 0.35 * ((Math.max(0, instance) * 0.618034) % 1);
  const chroma = 0.8 * Math.min(light, 1 - light);
  const channel = (shift: number) => {
    const k = (shift + hue * 12) % 12;
    return 255 * (light - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1)));
  };
  return [channel(0), channel(8), channel(4)];
}

/**
 * uint8 [height, width, 3].
 *
 * @param array [height, width] or [height, width, channels]: 1 or 3 for an image, 1 for heat, classes and maybe instances
 * for segments
 * @param range what is darkest and lightest, for images and heat
 */
export function painted({ shape, data }: HostArray, as: Kind, [low, high]: Range): HostArray<'uint8'> {
  const [height, width, channels = 1] = shape as [number, number, number?];
  const out = allocate('uint8', [height, width, 3]);
  const value = (pixel: number, channel: number) =>
    data[pixel * channels + Math.min(channel, channels - 1)] as number;
  const part = (pixel: number, channel: number) => (value(pixel, channel) - low) / (high - low);
  const colour: Record<Kind, (pixel: number) => Rgb> = {
    image: (pixel) => [0, 1, 2].map((c) => 255 * Math.max(0, Math.min(1, part(pixel, c)))) as unknown as Rgb,
    heat: (pixel) => heat(part(pixel, 0)),
    segments: (pixel) => segment(value(pixel, 0), channels > 1 ? value(pixel, 1) : 0),
  };
  for (let pixel = 0; pixel < height * width; pixel++)
    out.data.set(colour[as](pixel).map(Math.round), 3 * pixel);
  return out;
}
