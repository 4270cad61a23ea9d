// How a text and an image become one sequence of tokens, in both orders, and which tokens see which.

import * as tf from '../../core/tensor';

/** Tokens, and which of them count; padding may stand anywhere. */
export interface Tokens {
  /** float [batch, length, width] */
  readonly x: tf.Tensor;
  /** bool [batch, length] */
  readonly valid: tf.Tensor;
}

export interface Sequence extends Tokens {
  /** Which tokens (the second axis) see which (the third): bool [batch, length, length]. */
  readonly mask: tf.Tensor;
}

export interface Parts {
  readonly text: Tokens;
  readonly image: Tokens;
  /** What begins a text, and what an image, where that isn't the same: float [1, 1, width]. */
  readonly bos: tf.Tensor;
  readonly boi?: tf.Tensor;
  /** Whose text comes first: bool [batch]. */
  readonly textFirst: tf.Tensor;
}

export interface SequenceOptions {
  /** Tokens of the first part see those before them alone; otherwise the whole part. */
  readonly causalPrefix: boolean;
  /** Without the last token, as in training, where each predicts the next. */
  readonly shift: boolean;
}

/** [bos, text, boi, image] or [boi, image, bos, text]; without boi [bos, text, image] or [bos, image, text]. */
export function interleave(parts: Parts, { causalPrefix, shift }: SequenceOptions): Sequence {
  const { text, image, bos, boi, textFirst } = parts;
  const batch = image.x.shape[0] as number;
  const begin = (token: tf.Tensor): Tokens => ({
    x: tf.broadcastTo(token, [batch, 1, token.shape[2] as number]),
    valid: tf.fill([batch, 1], 1, 'bool'),
  });
  const [first, second] = [
    joined([begin(bos), text, ...(boi ? [begin(boi)] : []), image]),
    joined([begin(boi ?? bos), image, ...(boi ? [begin(bos)] : []), text]),
  ];
  const length = (first.x.shape[1] as number) - Number(shift);
  const chosen = (ofText: tf.Tensor, ofImage: tf.Tensor) =>
    firstTokens(byExample(textFirst, ofText, ofImage), length);
  const x = chosen(first.x, second.x);
  const valid = chosen(first.valid, second.valid);
  const seen = causalPrefix
    ? before(length)
    : tf.logicalOr(before(length), prefixOf(lengthOf(text), lengthOf(image), textFirst, length));
  return { x, valid, mask: tf.logicalAnd(seen, tf.expandDims(valid, 1)) };
}

/** The places of a sequence, each of which predicts a token of the text or of the image: [batch, length of it, width]. */
export function predictions(
  sequence: tf.Tensor,
  textFirst: tf.Tensor,
  { text, image, repeats, hasBoi }: { text: number; image: number; repeats: number; hasBoi: boolean },
): { readonly text: tf.Tensor; readonly image: tf.Tensor } {
  const width = sequence.shape[2] as number;
  const from = (begin: number, length: number) => tf.slice(sequence, [0, begin, 0], [-1, length, width]);
  const between = Number(hasBoi);
  return {
    text: byExample(textFirst, from(0, text), from(image + between, text)),
    image: byExample(textFirst, from(repeats * text + between, image), from(0, image)),
  };
}

/** Positions of the tokens that count, from 0: int32 [batch, length]. */
export const positionsOf = (valid: tf.Tensor): tf.Tensor =>
  tf.sub(tf.cumsum(tf.cast(valid, 'int32'), 1), tf.scalar(1, 'int32'));

const lengthOf = ({ x }: Tokens) => x.shape[1] as number;

/** Of each example the row of `yes` or of `no`. @param condition bool [batch] */
export function byExample(condition: tf.Tensor, yes: tf.Tensor, no: tf.Tensor): tf.Tensor {
  const rank = Math.max(yes.rank, no.rank);
  return tf.where(tf.reshape(condition, [-1, ...new Array<number>(rank - 1).fill(1)]), yes, no);
}

function joined(parts: readonly Tokens[]): Tokens {
  const some = parts.filter((part) => lengthOf(part) > 0);
  return {
    x: tf.concat(
      some.map(({ x }) => x),
      1,
    ),
    valid: tf.concat(
      some.map(({ valid }) => valid),
      1,
    ),
  };
}

const firstTokens = (x: tf.Tensor, length: number): tf.Tensor =>
  tf.slice(x, new Array<number>(x.rank).fill(0), [-1, length, ...x.shape.slice(2)]);

/** A token sees itself and those before: bool [1, length, length]. */
function before(length: number): tf.Tensor {
  const place = tf.range(0, length, 1, 'int32');
  return tf.expandDims(tf.lessEqual(place, tf.expandDims(place, 1)), 0);
}

/** Everybody sees the first part, and what begins it: bool [batch, 1, length]. */
function prefixOf(text: number, image: number, textFirst: tf.Tensor, length: number): tf.Tensor {
  const last = tf.where(textFirst, tf.scalar(text, 'int32'), tf.scalar(image, 'int32'));
  const place = tf.range(0, length, 1, 'int32');
  return tf.expandDims(tf.lessEqual(place, tf.expandDims(last, 1)), 1);
}
