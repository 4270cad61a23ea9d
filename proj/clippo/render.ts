// A text as an image: letters trimmed to their ink, in lines from the top left.

import { allocate, hostArray, type HostArray } from '../../core/array';
import { type ResizeMethod, resizeImage } from '../../plugins/pp';
import { type Font, type Letter, letterSize } from './unifont';

export interface RenderOptions {
  /** Side of the image in pixels. */
  readonly image_size: number;
  /** Height of a line. The letters are drawn for 16. */
  readonly font_size: number;
  /** 0: no limit. */
  readonly max_chars: number;
  readonly background_brightness: number;
  readonly text_brightness: number;
  /** Letters A to Z as small letters. */
  readonly lower: boolean;
  readonly monospace: boolean;
  /** Columns left free before a letter. */
  readonly spacing: number;
  /** Columns of the narrowest letter, and of a space. */
  readonly min_width: number;
  readonly resize_method: ResizeMethod;
}

/** Columns [from, to) of a letter [size, size]. */
interface Trimmed {
  readonly ink: ArrayLike<number>;
  readonly from: number;
  readonly to: number;
}

/** @returns uint8 [image_size, image_size, 3]; what doesn't fit is cut off */
export function renderText(text: string, font: Font, options: RenderOptions): HostArray<'uint8'> {
  const { image_size: side, font_size: height, background_brightness: background } = options;
  const letters = lettersOf(text, font, options);
  const lines = breakLines(letters, side);
  const image = allocate('uint8', [side, side, 3]);
  image.data.fill(background);
  for (const [i, line] of lines.entries()) {
    let left = 0;
    for (const { ink, from, to } of line) {
      for (let y = 0; y < height && i * height + y < side; y++) {
        for (let x = from; x < to; x++) {
          const value = (ink[y * height + x] as number) * (options.text_brightness - background) + background;
          const at = ((i * height + y) * side + left + x - from) * 3;
          image.data.fill(Math.trunc(value), at, at + 3);
        }
      }
      left += to - from;
    }
  }
  return image;
}

function lettersOf(text: string, font: Font, options: RenderOptions): Trimmed[] {
  const { max_chars, lower, monospace, font_size: size } = options;
  const lowered = lower ? text.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : text;
  const codePoints = [...lowered].map((letter) => letter.codePointAt(0) as number);
  return (max_chars > 0 ? codePoints.slice(0, max_chars) : codePoints).map((codePoint) => {
    const ink = resized(font(codePoint), options);
    return monospace ? { ink, from: 0, to: size } : trim(ink, options);
  });
}

function resized(
  letter: Letter,
  { font_size: size, resize_method: method }: RenderOptions,
): ArrayLike<number> {
  if (size === letterSize) return letter;
  const image = hostArray('float32', [letterSize, letterSize, 1], Float32Array.from(letter));
  return resizeImage(image, [size, size], { method, antialias: true }).data;
}

function trim(ink: ArrayLike<number>, { font_size: size, spacing, min_width }: RenderOptions): Trimmed {
  const inked = Array.from({ length: size }, (_, x) => x).filter((x) => {
    for (let y = 0; y < size; y++) if (ink[y * size + x] !== 0) return true;
    return false;
  });
  const from = Math.max((inked[0] ?? 0) - spacing, 0);
  const to = Math.max((inked.at(-1) ?? 0) + spacing, from + min_width);
  return { ink, from: Math.min(from, size), to: Math.min(to, size) };
}

/** A letter belongs to the line where it would end if all lines but for the widest letter were full. */
function breakLines(letters: readonly Trimmed[], side: number): Trimmed[][] {
  const widths = letters.map(({ from, to }) => to - from);
  const full = side - Math.max(...widths);
  const lines: Trimmed[][] = [];
  let end = 0;
  letters.forEach((letter, i) => {
    end += widths[i] as number;
    (lines[Math.floor(end / full)] ??= []).push(letter);
  });
  return Array.from(lines, (line) => line ?? []);
}
