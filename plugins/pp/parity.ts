// Runs recorded cases whose names aren't those of ops in a call string: single functions of AutoAugment and
// tokenizers.

import { z } from 'zod';
import { allocate, type HostArray, hostArray } from '../../core/array';
import type { Implementation } from '../../core/extensions';
import type { ParityCase, ParityRunner } from '../../core/parity/case';
import { exampleRng } from '../input';
import type { Bytes } from './colour';
import * as colour from './colour';
import { loadSentencePiece } from './sentencepiece';
import { tokenizeTexts, toLength } from './token-ops';
import * as warp from './warp';
import { wordPieceOf } from './wordpiece';

interface Args {
  readonly factor: number;
  readonly bits: number;
  readonly threshold?: number;
  readonly addition?: number;
  readonly degrees: number;
  readonly pixels: number;
  readonly level: number;
  readonly pad_size: number;
  readonly replace: warp.Fill;
}

const single: Readonly<Record<string, (image: Bytes, args: Args) => Bytes>> = {
  autocontrast: (image) => colour.autocontrast(image),
  equalize: (image) => colour.equalize(image),
  invert: (image) => colour.invert(image),
  brightness: (image, { factor }) => colour.brightness(image, factor),
  color: (image, { factor }) => colour.color(image, factor),
  contrast: (image, { factor }) => colour.contrast(image, factor),
  sharpness: (image, { factor }) => colour.sharpness(image, factor),
  posterize: (image, { bits }) => colour.posterize(image, bits),
  solarize: (image, { threshold }) => colour.solarize(image, threshold),
  solarize_add: (image, { addition, threshold }) => colour.solarizeAdd(image, addition, threshold),
  rotate: (image, { degrees, replace }) => warp.rotate(image, degrees, replace),
  translate_x: (image, { pixels, replace }) => warp.translateX(image, pixels, replace),
  translate_y: (image, { pixels, replace }) => warp.translateY(image, pixels, replace),
  shear_x: (image, { level, replace }) => warp.shearX(image, level, replace),
  shear_y: (image, { level, replace }) => warp.shearY(image, level, replace),
};

const argsOf = ({ args }: ParityCase) => ({ replace: warp.gray, ...args }) as unknown as Args;

/** Where the filled boxes are, [draws, 4]. */
const cutout: ParityRunner = async (recorded) => {
  const { draws, image_shape } = recorded.args as { draws: number; image_shape: readonly [number, number, number] }; // prettier-ignore
  const [height, width] = image_shape;
  const boxes = Array.from({ length: draws }, (_, i) => {
    const blank = allocate('uint8', [height, width, 1]);
    const filled = warp.cutout(blank, argsOf(recorded).pad_size, 255, exampleRng(0, 0, i));
    const pixels = Array.from(filled.data.keys()).filter((at) => filled.data[at] === 255);
    const [first, last] = [pixels[0] as number, pixels.at(-1) as number];
    const [y, x] = [Math.floor(first / width), first % width];
    return [y, x, Math.floor(last / width) - y + 1, (last % width) - x + 1];
  });
  return new Map([['boxes', hostArray('int32', [draws, 4], boxes.flat())]]);
};

const textsOf = ({ string_inputs }: ParityCase) =>
  (string_inputs as { readonly texts: readonly string[] }).texts;
const modelOf = ({ inputs }: ParityCase) => inputs.get('model')?.data as Uint8Array;

const tokenize: ParityRunner = async (recorded) => {
  const { sample_if_multi, ...options } = recorded.args as unknown as { sample_if_multi?: boolean } & Parameters<typeof tokenizeTexts>[2]; // prettier-ignore
  const tokenizer = await loadSentencePiece(modelOf(recorded));
  const texts = textsOf(recorded);
  if (sample_if_multi === false) return new Map([['labels', tokenizeTexts(texts, tokenizer, options)]]);
  const rows = texts.map((text) => tokenizeTexts(text, tokenizer, options));
  const labels = Int32Array.from(rows.flatMap(({ data }) => Array.from(data)));
  return new Map([['labels', hostArray('int32', [rows.length, labels.length / rows.length], labels)]]);
};

const bert: ParityRunner = async (recorded) => {
  const { max_len } = recorded.args as { max_len: number };
  const tokenizer = wordPieceOf(Buffer.from(recorded.inputs.get('vocab')?.data as Uint8Array).toString());
  const rows = textsOf(recorded).map((text) =>
    toLength(tokenizer.encode(text, { bos: true }), max_len, 0, false),
  );
  return new Map([['labels', hostArray('int32', [rows.length, max_len], rows.flat())]]);
};

const sp: ParityRunner = async (recorded) => {
  const tokenizer = await loadSentencePiece(modelOf(recorded), recorded.args.tokensets as string[]);
  const scalar = (value: number) => hostArray('int32', [], [value]);
  const found = new Map<string, HostArray | string>([
    ['vocab_size', scalar(tokenizer.size)],
    ['eos_token', scalar(tokenizer.eos)],
    ['pad_token', scalar(tokenizer.pad)],
    ['bos_token', scalar(tokenizer.bos)],
  ]);
  textsOf(recorded).forEach((text, i) => {
    const ids = tokenizer.encode(text, { eos: true });
    found.set(`to_int/${i}`, hostArray('int32', [ids.length], ids));
    found.set(`to_str/${i}`, tokenizer.decode([...ids, ...ids]));
  });
  return found;
};

const augmented = Object.entries(single).map(([name, apply]): [string, ParityRunner] => [
  `autoaugment:${name}`,
  async (recorded) => new Map([['image', apply(recorded.inputs.get('image') as Bytes, argsOf(recorded))]]),
]);

const runners: readonly (readonly [name: string, runner: ParityRunner])[] = [
  ...augmented,
  ['autoaugment:cutout', cutout],
  ['tokenize', tokenize],
  ['tokenizers.sp', sp],
  ['bert_tokenize', bert],
];

/** By their names under the extension point `parity`. */
export const parityRunners: Readonly<Record<string, Implementation<'parity'>>> = Object.fromEntries(
  runners.map(([name, runner]) => [
    `pp ${name}`,
    { doc: `Runs the cases of ${name}.`, options: z.strictObject({}), create: () => runner },
  ]),
);
