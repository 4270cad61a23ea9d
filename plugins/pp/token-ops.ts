// From texts to token ids. Names, arguments and defaults are the original's.

import { z } from 'zod';
import { allocate, type HostArray, hostArray } from '../../core/array';
import { createCalls } from '../../core/call-string';
import type { Container } from '../../core/container';
import type { Feature, Implementation, Registry, Tokenizer } from '../../core/extensions';
import { tokens } from '../../core/train/run';
import { arrayOf, errors, featureOf, keyedOp, mapTexts, textOf } from './features';
import { concatArrays } from './general-ops';
import { sentencePiece } from './sentencepiece';
import { lowerAscii } from './text-ops';
import { wordPiece } from './wordpiece';

const yesNo = z.enum(['yes', 'no']).default('no');

/** Exactly `length` ids: cut off (with `sticky` all but the last), or padded. */
export function toLength(ids: readonly number[], length: number, pad: number, sticky: boolean): number[] {
  if (ids.length >= length) {
    return sticky ? [...ids.slice(0, length - 1), ...ids.slice(-1)] : ids.slice(0, length);
  }
  return [...ids, ...new Array<number>(length - ids.length).fill(pad)];
}

const int32 = (ids: readonly number[]): HostArray => hostArray('int32', [ids.length], ids);

// ---- tokenize ----------------------------------------------------------------------------------------------------------

const tokenize = keyedOp('tokenize', {
  doc: 'Token ids of a text, int32 [max_len]: "a" with eos="yes" and room is [a, </s>, pad]. Without room eos="sticky" keeps the </s>, and "yes" doesn\'t. A list of texts gives one of them at random, or with sample_if_multi=False [..., max_len].',
  options: {
    max_len: z.int().min(1).describe('how many ids there are, always'),
    eos: z
      .enum(['none', 'yes', 'sticky'])
      .describe('whether a text ends in </s>, and whether it does when it is cut off'),
    model: z.string().default('c4_en').describe('path of a SentencePiece model'),
    lower: z.boolean().default(true).describe('make A to Z lower case first'),
    sample_if_multi: z
      .boolean()
      .default(true)
      .describe('of a list of texts take one at random; put choice() before it instead'),
    pad_value: z.union([z.int(), z.string()]).default('<pad>').describe('id that fills up, or its token'),
    add_bos: z.boolean().default(false).describe('whether a text begins with <s>'),
  },
  positional: ['max_len', 'eos', 'model', 'lower', 'sample_if_multi', 'pad_value', 'add_bos'],
  keys: { inkey: null, outkey: 'labels' },
  make:
    ({ model, ...options }) =>
    async (value, rng, key) => {
      const texts =
        options.sample_if_multi && Array.isArray(value) ? (value as readonly Feature[]) : undefined;
      const chosen = texts ? (texts[rng.integer(0, Math.max(texts.length, 1))] ?? '') : value;
      return tokenizeTexts(chosen, await sentencePiece(model), options, key);
    },
});

interface TokenizeOptions {
  readonly max_len: number;
  readonly eos: 'none' | 'yes' | 'sticky';
  readonly lower?: boolean;
  readonly pad_value?: number | string;
  readonly add_bos?: boolean;
}

/** int32 [max_len] of a text, [..., max_len] of (nested) lists. */
export function tokenizeTexts(
  texts: Feature,
  tokenizer: Tokenizer,
  { max_len, eos, lower = true, pad_value = '<pad>', add_bos = false }: TokenizeOptions,
  key = 'text',
): HostArray {
  const pad = typeof pad_value === 'number' ? pad_value : tokenizer.idOf(pad_value);
  if (add_bos && tokenizer.bos < 0) throw errors.noToken({ op: 'tokenize', token: '<s>', option: 'add_bos' });
  if (eos !== 'none' && tokenizer.eos < 0)
    throw errors.noToken({ op: 'tokenize', token: '</s>', option: 'eos' });
  const rows: number[][] = [];
  mapTexts(texts, key, 'tokenize', (text) => {
    rows.push(tokenizer.encode(lower ? lowerAscii(text) : text, { bos: add_bos, eos: eos !== 'none' }));
    return 0;
  });
  const shape: number[] = [];
  for (let at = texts; Array.isArray(at); at = (at as Feature[])[0] as Feature) shape.push(at.length);
  // Rows get the length of the longest before they are cut, so a sticky end may be padding; so it is in the original.
  const longest = Math.max(0, ...rows.map((row) => row.length));
  const out = allocate('int32', [...shape, max_len]);
  rows.forEach((row, i) => {
    out.data.set(toLength(toLength(row, longest, pad, false), max_len, pad, eos === 'sticky'), i * max_len);
  });
  return out;
}

const bert_tokenize = keyedOp('bert_tokenize', {
  doc: "BERT's token ids of a text (WordPiece, without case): int32 [max_len], [CLS] first, cut off or filled with 0. Of a list of texts one at random, or with sample_if_multi=False the first.",
  options: {
    vocab_path: z.string().describe("path of the vocabulary, BERT's vocab.txt: a piece a line"),
    max_len: z.int().min(1).describe('how many ids there are, always'),
    sample_if_multi: z.boolean().default(true).describe('of a list of texts take one at random'),
  },
  positional: ['vocab_path', 'max_len', 'sample_if_multi'],
  keys: { inkey: null, outkey: 'labels' },
  make:
    ({ vocab_path, max_len, sample_if_multi }) =>
    (value, rng, key) => {
      const texts = [value].flat(Infinity as 1) as Feature[];
      const chosen = texts[sample_if_multi ? rng.integer(0, Math.max(texts.length, 1)) : 0] ?? '';
      const ids = wordPiece(vocab_path).encode(textOf(chosen, key, 'bert_tokenize'), { bos: true });
      return int32(toLength(ids, max_len, 0, false));
    },
});

// ---- tok ---------------------------------------------------------------------------------------------------------------

const tolen = keyedOp('tolen', {
  doc: 'Cuts off or pads token ids to a length.',
  options: {
    length: z.int().min(0).nullable().describe('the length; 0 or None leaves them as they are'),
    sticky_end: z.boolean().default(false).describe('keep the last id when cutting off'),
    pad_value: z.int().nullable().default(null).describe('id that fills up'),
    pad_key: z.string().nullable().default(null).describe('key of the id that fills up, instead'),
  },
  positional: ['length'],
  keys: { inkey: null, outkey: null },
  make:
    ({ length, sticky_end, pad_value, pad_key }) =>
    (value, _, key, example) => {
      if (!length) return value;
      const ids = Array.from(arrayOf(value, key, 'tolen').data);
      const pad = pad_key
        ? arrayOf(featureOf(example, pad_key, 'tolen'), pad_key, 'tolen').data[0]
        : pad_value;
      if (pad === null || pad === undefined) {
        const problem = 'has neither pad_value nor pad_key';
        throw errors.size({ op: 'tolen', problem, fix: `say what fills up: tolen(${length}, pad_value=0).` });
      }
      return int32(toLength(ids, length, pad, sticky_end));
    },
});

const tokOptions = {
  model: z.string().describe("a tokenizer: gemma, sp(model='PATH', tokensets=['loc'])"),
  length: z.int().min(1).nullable().default(null).describe('how many ids; None is as many as there are'),
  bos: yesNo.describe('whether the text begins with <s>'),
  eos: z
    .enum(['no', 'yes', 'sticky'])
    .default('no')
    .describe('whether it ends in </s>, and whether it does when it is cut off'),
  text: z.string().nullable().default(null).describe('a constant text, instead of inkey'),
  key: z.string().nullable().default(null).describe('key to read and to write'),
  inkey: z.string().nullable().default(null).describe('key to read'),
  outkey: z.string().nullable().default(null).describe('key to write'),
};

/** Ops that make tokenizers by name. */
export function tokenizingOps(container: Container): Readonly<Record<string, Implementation<'pp'>>> {
  const schema = z.strictObject(tokOptions);
  const tok: Implementation<'pp', typeof schema, [typeof tokens.registry]> = {
    doc: 'Token ids of a text, of any length or of a given one; int32. Of a feature, or of a constant text.',
    options: schema,
    positional: ['model', 'length'],
    inject: [tokens.registry],
    create: ({ model, length, bos, eos, text, key, inkey, outkey }, registry) => {
      const from = inkey ?? key;
      const to = outkey ?? key;
      if (!to || (text === null && !from)) throw errors.noKey({ op: 'tok', option: to ? 'inkey' : 'outkey' });
      const tokenizer = tokenizerOf(model, registry, container);
      return async (example) => {
        const made = await tokenizer();
        const source = text ?? textOf(featureOf(example, from as string, 'tok'), from as string, 'tok');
        const ids = made.encode(source, { bos: bos === 'yes', eos: eos !== 'no' });
        return {
          ...example,
          [to]: int32(length === null ? ids : toLength(ids, length, made.pad, eos === 'sticky')),
        };
      };
    },
  };
  return { tok: tok as unknown as Implementation<'pp'> };
}

/** Checked now, made when it is first used. */
function tokenizerOf(model: string, registry: Registry, container: Container): () => Promise<Tokenizer> {
  let made: Promise<Tokenizer> | undefined;
  return () => {
    made ??= createTokenizer(model, registry, container, 'tok');
    return made;
  };
}

/** The tokenizer that a call string names. @param where for errors: the option that holds the string */
export async function createTokenizer(
  text: string,
  registry: Registry,
  container: Container,
  where: string,
): Promise<Tokenizer> {
  return (await createCalls(text, registry, container, 'tokenizer', where)[0]?.made) as Tokenizer;
}

const maskedSchema = z
  .object({
    keys: z.array(z.string()).min(1).describe('keys of the arrays, in order'),
    outkey: z.string().default('text').describe('key to write'),
  })
  .catchall(z.array(z.union([z.number(), z.boolean()])));

const masked_concat = {
  doc: "Joins arrays of token ids along their first axis, and writes masks of the same length: masked_concat(['prefix', 'suffix'], mask_ar=[0, 1]) has 0 for each id of the first and 1 for each of the second.",
  options: maskedSchema,
  positional: ['keys', 'outkey'],
  create: ({ keys, outkey, ...masks }: z.output<typeof maskedSchema>) => {
    const odd = Object.entries(masks).find(([, values]) => values.length !== keys.length);
    if (odd) {
      const problem = `has ${odd[1].length} values for the mask "${odd[0]}" and ${keys.length} keys`;
      throw errors.size({ op: 'masked_concat', problem, fix: 'give a value for each key.' });
    }
    return (example: { readonly [key: string]: Feature }) => {
      const arrays = keys.map((key) =>
        arrayOf(featureOf(example, key, 'masked_concat'), key, 'masked_concat'),
      );
      const joined = concatArrays('masked_concat', arrays, keys, 0);
      const filled = Object.entries(masks).map(([name, values]) => {
        const dtype = values.every((value) => typeof value === 'boolean') ? 'bool' : values.every(Number.isInteger) ? 'int32' : 'float32'; // prettier-ignore
        const flat = arrays.flatMap(({ data }, i) => new Array<number>(data.length).fill(Number(values[i])));
        return [name, hostArray(dtype, joined.shape, flat)] as const;
      });
      return { ...example, [outkey]: joined, ...Object.fromEntries(filled) };
    };
  },
} as unknown as Implementation<'pp'>;

export const tokenOps: Readonly<Record<string, Implementation<'pp'>>> = {
  tokenize,
  bert_tokenize,
  tolen,
  masked_concat,
};

// ---- Tokenizers ----------------------------------------------------------------------------------------------------------

const tokensets = z
  .array(z.string())
  .default([])
  .describe('extra tokens: "loc" is <loc0000> to <loc1023>, "seg" is <seg000> to <seg127>');

const spSchema = z.strictObject({ model: z.string().describe('path of a SentencePiece model'), tokensets });
const gemmaSchema = z.strictObject({
  tokensets,
  model: z
    .string()
    .default('gs://big_vision/gemma_tokenizer.model')
    .describe('path of its SentencePiece model'),
});

const bertSchema = z.strictObject({
  vocab_path: z.string().describe('path of a vocabulary: a piece a line'),
});

export const tokenizers: Readonly<Record<string, Implementation<'tokenizer'>>> = {
  bert: {
    doc: "BERT's WordPiece, without case (arXiv:1810.04805).",
    options: bertSchema,
    positional: ['vocab_path'],
    create: ({ vocab_path }: z.output<typeof bertSchema>) => wordPiece(vocab_path),
  } as unknown as Implementation<'tokenizer'>,
  sp: {
    doc: 'SentencePiece (arXiv:1808.06226), unigram or BPE, as its model file says.',
    options: spSchema,
    positional: ['model', 'tokensets'],
    create: ({ model, tokensets: sets }: z.output<typeof spSchema>) => sentencePiece(model, sets),
  } as unknown as Implementation<'tokenizer'>,
  gemma: {
    doc: "Gemma's tokenizer, which PaliGemma uses. Its model file has to be fetched and named.",
    options: gemmaSchema,
    positional: ['tokensets', 'model'],
    create: ({ model, tokensets: sets }: z.output<typeof gemmaSchema>) => sentencePiece(model, sets),
  } as unknown as Implementation<'tokenizer'>,
};
