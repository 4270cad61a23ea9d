// Ops on texts, which are strings or lists of strings. Names, arguments and defaults are the original's.

import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { type HostArray, hostArray } from '../../core/array';
import type { Feature, Implementation } from '../../core/extensions';
import { isDict } from '../../core/tree';
import { classNames, type ClassNames } from './class-names';
import {
  arrayOf,
  describeFeature,
  errors,
  exampleOp,
  featureOf,
  keyedOp,
  lengthOf,
  mapTexts,
  shuffled,
} from './features';
import { npzTexts } from './npz-texts';

/** As TensorFlow does it without an encoding: other letters stay as they are. */
export const lowerAscii = (text: string): string =>
  text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

const lower = keyedOp('lower', {
  doc: 'Makes the letters A to Z of texts lower case; other letters stay.',
  keys: { inkey: 'text', outkey: 'text' },
  make: () => (value, _, key) => mapTexts(value, key, 'lower', lowerAscii),
});

function labelNames(op: string, list: ClassNames, of: string): Implementation<'pp'> {
  return keyedOp(op, {
    doc: `The names of labels of ${of}.`,
    keys: { inkey: 'label', outkey: 'labels' },
    make: () => (value, _, key) => {
      const names = classNames(list);
      const labels = arrayOf(value, key, op);
      const found = Array.from(labels.data, (label) => {
        const name = names[label];
        if (name !== undefined) return name;
        const problem = `finds the label ${label}, which isn't one of 0 to ${names.length - 1}`;
        throw errors.size({ op, problem, fix: `name the key of labels of ${of}.` });
      });
      return nested(found, labels.shape);
    },
  });
}

/** A flat list as lists of lists, of a shape; one value without axes. */
function nested(flat: readonly Feature[], [length, ...rest]: readonly number[]): Feature {
  if (length === undefined) return flat[0] as Feature;
  const size = flat.length / length;
  return Array.from({ length }, (_, i) => nested(flat.slice(i * size, (i + 1) * size), rest));
}

const coco_captions = exampleOp({
  doc: "Takes COCO's captions out of their nested feature: captions/text.",
  options: { outkey: z.string().default('captions').describe('key to write') },
  positional: ['outkey'],
  create:
    ({ outkey }) =>
    (example) => {
      const captions = featureOf(example, 'captions', 'coco_captions');
      const inner = isDict(captions) ? (captions as { [key: string]: Feature }) : {};
      return { ...example, [outkey]: featureOf(inner, 'text', 'coco_captions') };
    },
});

// ---- Formatting --------------------------------------------------------------------------------------------------------

/** The leading digits of a positive number, of ties the even one as C rounds (JavaScript rounds up); and its exponent. */
function leadingDigits(x: number, digits: number): readonly [mantissa: string, exponent: number] {
  const apart = (text: string) => [text.replace(/\.|e.*/g, ''), Number(text.split('e')[1])] as const;
  const [exact, exponent] = apart(x.toExponential(100));
  const isTie = /^50*$/.test(exact.slice(digits));
  if (isTie && Number(exact[digits - 1]) % 2 === 0) return [exact.slice(0, digits), exponent];
  return apart(x.toExponential(digits - 1));
}

/** C's %.{digits}g. */
function general(x: number, digits: number): string {
  const sign = x < 0 ? '-' : '';
  const [mantissa, e] = leadingDigits(Math.abs(x), digits);
  const withPoint = (at: number) => `${mantissa.slice(0, at)}.${mantissa.slice(at)}`.replace(/\.?0*$/, '');
  if (e >= 0 && e < digits) return sign + withPoint(e + 1);
  if (e >= -4 && e < 0) return `${sign}0.${'0'.repeat(-e - 1)}${mantissa}`.replace(/0+$/, '');
  return `${sign}${withPoint(1)}e${e < 0 ? '-' : '+'}${String(Math.abs(e)).padStart(2, '0')}`;
}

function numberText(x: number): string {
  if (Number.isNaN(x)) return 'nan';
  if (!Number.isFinite(x)) return x > 0 ? 'inf' : '-inf';
  // TensorFlow computes without denormal numbers.
  if (Math.abs(x) < 2 ** -126) return x < 0 || Object.is(x, -0) ? '-0' : '0';
  if (Number.isInteger(x) && Math.abs(x) < 1e6) return String(x);
  const short = general(x, 6);
  return Math.fround(Number(short)) === x ? short : general(x, 9);
}

/** As TensorFlow prints tensors: `[0 1 2]`, `[[1 2]\n [3 4]]`; floats with as many of 6 or 9 digits as they need. */
function arrayText({ dtype, shape, data }: HostArray): string {
  const one = (i: number) => {
    const x = data[i] as number;
    return dtype === 'float32' ? numberText(x) : String(Number(x));
  };
  const text = (axis: number, from: number, size: number): string => {
    if (axis === shape.length) return one(from);
    const length = shape[axis] as number;
    const rest = shape.length - axis - 1;
    const parts = Array.from({ length }, (_, i) => text(axis + 1, from + (i * size) / length, size / length));
    const glue = rest === 0 ? ' ' : '\n'.repeat(rest) + ' '.repeat(axis + 1);
    return `[${parts.join(glue)}]`;
  };
  // Of arrays without values it shows as many as there are: none, where there are entries.
  if (data.length === 0 && shape[0]) return `[${'\n'.repeat(shape.length - 1)} ...]`;
  return text(0, 0, data.length);
}

/** The literal texts and field names of a Python template. */
function templateParts(template: string): { readonly text: string; readonly field?: string }[] {
  const parts: { text: string; field?: string }[] = [];
  let text = '';
  for (const [part] of template.matchAll(/\{\{|\}\}|\{[^{}]*\}|[\s\S]/g)) {
    if (part === '{{' || part === '}}') text += part[0];
    else if (part.length > 1 && part.startsWith('{')) {
      parts.push({ text, field: part.slice(1, -1) });
      text = '';
    } else text += part;
    if (part === '{' || part === '}' || /^\{.*[!:].*\}$/s.test(part)) {
      throw errors.size({
        op: 'strfmt',
        problem: `can't read the template ${JSON.stringify(template)}: names of features stand in {braces}, without formats`,
        fix: "write strfmt('a photo of {label}'), and {{ for a brace.",
      });
    }
  }
  return [...parts, { text }];
}

const strfmt = exampleOp({
  doc: "Fills features into a template: strfmt('a photo of {label}'). Numbers are printed as TensorFlow prints them. A list of texts gives a list.",
  options: {
    template: z.string().describe('a text with names of features in {braces}'),
    outkey: z.string().default('text').describe('key to write'),
  },
  positional: ['template', 'outkey'],
  create: ({ template, outkey }) => {
    const parts = templateParts(template);
    return (example) => {
      const values = parts.flatMap(({ text, field }) =>
        // As in the original, {} stands for nothing.
        !field ? [text] : [text, fieldText(featureOf(example, field, 'strfmt'), field)],
      );
      return { ...example, [outkey]: joinTexts(values) };
    };
  },
});

function fieldText(value: Feature, field: string): Feature {
  if (typeof value === 'string') return value;
  if (Array.isArray(value)) return mapTexts(value, field, 'strfmt', (text) => text);
  return arrayText(arrayOf(value, field, 'strfmt'));
}

/** Joins texts; where there are (nested) lists of one shape, each of their entries. */
function joinTexts(values: readonly Feature[]): Feature {
  const list = values.find((value) => Array.isArray(value));
  if (!list) return values.join('');
  const entry = (value: Feature, i: number) => (Array.isArray(value) ? (value as Feature[])[i] as Feature : value); // prettier-ignore
  return Array.from({ length: lengthOf(list) as number }, (_, i) => joinTexts(values.map((value) => entry(value, i)))); // prettier-ignore
}

const strjoin = keyedOp('strjoin', {
  doc: 'Joins a list of texts into one.',
  options: {
    glue: z.string().describe('what stands between them'),
    axis: z.int().nullable().default(null).describe('which axis of nested lists is joined; None is all'),
  },
  positional: ['glue', 'axis'],
  make: ({ glue, axis }) => {
    const depthOf = (value: Feature): number => (Array.isArray(value) ? 1 + depthOf((value as Feature[])[0] ?? '') : 0); // prettier-ignore
    const join = (value: Feature, at: number): Feature => {
      if (at > 0) return (value as Feature[]).map((item) => join(item, at - 1));
      const items = value as Feature[];
      if (!Array.isArray(items[0])) return items.join(glue);
      return (items[0] as Feature[]).map((_, i) => join(items.map((item) => (item as Feature[])[i] as Feature), 0)); // prettier-ignore
    };
    return (value, _, key) => {
      mapTexts(value, key, 'strjoin', (text) => text);
      if (axis === null) return [value].flat(Infinity as 1).join(glue);
      const depth = depthOf(value);
      const at = axis < 0 ? axis + depth : axis;
      if (at >= 0 && at < depth) return join(value, at);
      const expected = `a list with an axis ${axis}`;
      throw errors.kind({
        op: 'strjoin',
        key,
        found: describeFeature(value),
        expected,
        fix: 'leave axis out.',
      });
    };
  },
});

const lookup = keyedOp('lookup', {
  doc: 'Numbers of texts, by a file: the number of the line that is the text, or with `sep` the number behind it in its line; or the place of the text in an array of a .npz file. What the file lacks is -1. int32.',
  options: {
    mapping: z.string().describe('path of a text file, or of a .npz file'),
    npzkey: z.string().default('fnames').describe('name of the array of texts in a .npz file'),
    sep: z.string().nullable().default(null).describe('what stands between text and number'),
  },
  positional: ['mapping', 'npzkey', 'sep'],
  make: ({ mapping, npzkey, sep }) => {
    let table: Promise<ReadonlyMap<string, number>> | undefined;
    return async (value, _, key) => {
      table ??= numbersIn(mapping, npzkey, sep);
      const known = await table;
      const of = (text: string) => hostArray('int32', [], [known.get(text) ?? -1]);
      const found = mapTexts(value, key, 'lookup', of);
      if (!Array.isArray(found)) return found;
      const flat = [found].flat(Infinity as 1) as unknown as HostArray[];
      const shape: number[] = [];
      for (let at: Feature = value; Array.isArray(at); at = (at as Feature[])[0] as Feature) shape.push(lengthOf(at) as number); // prettier-ignore
      return hostArray('int32', shape, flat.map(({ data }) => data[0] as number)); // prettier-ignore
    };
  },
});

async function numbersIn(
  mapping: string,
  npzkey: string,
  sep: string | null,
): Promise<ReadonlyMap<string, number>> {
  if (mapping.endsWith('.npz')) {
    const texts = await npzTexts(mapping, npzkey).catch((error: unknown) => {
      throw errors.unreadable({ op: 'lookup', path: mapping, reason: (error as Error).message });
    });
    return new Map(texts.map((text, i) => [text, i] as const));
  }
  const lines = readText('lookup', mapping).replace(/\r?\n$/, '').split(/\r?\n/); // prettier-ignore
  return new Map(
    lines.map((line, i) => {
      if (sep === null) return [line, i] as const;
      const [text = '', number] = line.split(sep);
      return [text, Number(number)] as const;
    }),
  );
}

export function readText(op: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw errors.unreadable({ op, path, reason: (error as Error).message });
  }
}

const sci_qa_choices_shuffle = exampleOp({
  doc: 'Shuffles the answers of a question of ScienceQA: "(A) banana, (B) apple", and the letter of the right one.',
  options: {
    choice_str_inkey: z.string().default('choices').describe('key of the answers: a list of texts'),
    ans_inkey: z.string().default('answer').describe('key of the number of the right one'),
    indexed_choices_outkey: z.string().default('indexed_choices').describe('key to write the answers to'),
    indexed_answer_outkey: z.string().default('indexed_answer').describe('key to write the letter to'),
  },
  positional: ['choice_str_inkey', 'ans_inkey', 'indexed_choices_outkey', 'indexed_answer_outkey'],
  create:
    ({ choice_str_inkey, ans_inkey, indexed_choices_outkey, indexed_answer_outkey }) =>
    (example, rng) => {
      const op = 'sci_qa_choices_shuffle';
      const choices = featureOf(example, choice_str_inkey, op);
      if (!Array.isArray(choices)) {
        throw errors.kind({
          op,
          key: choice_str_inkey,
          found: describeFeature(choices),
          expected: 'a list of texts',
          fix: 'name the key of the answers with choice_str_inkey.',
        });
      }
      const answer = arrayOf(featureOf(example, ans_inkey, op), ans_inkey, op).data[0] as number;
      const order = shuffled([...choices.keys()], rng);
      const letter = (i: number) => (i < 0 ? '' : String.fromCharCode(65 + i));
      return {
        ...example,
        [indexed_choices_outkey]: order.map((from, i) => `(${letter(i)}) ${choices[from]}`).join(', '),
        [indexed_answer_outkey]: letter(order.indexOf(answer)),
      };
    },
});

export const textOps: Readonly<Record<string, Implementation<'pp'>>> = {
  lower,
  clip_i1k_label_names: labelNames('clip_i1k_label_names', 'clip_i1k', 'ImageNet (the names that CLIP uses)'),
  i21k_label_names: labelNames('i21k_label_names', 'i21k', 'ImageNet-21k'),
  coco_captions,
  strfmt,
  strjoin,
  lookup,
  sci_qa_choices_shuffle,
};
