// Ops on any features: labels, keys and shapes. Names, arguments and defaults are the original's.

import { z } from 'zod';
import { allocate, HostArray, sizeOf, type TypedArrayOf } from '../../core/array';
import type { Example, Feature, Implementation } from '../../core/extensions';
import { isDict } from '../../core/tree';
import { arrayOf, describeFeature, errors, exampleOp, featureOf, keyedOp } from './features';

// ---- Labels ------------------------------------------------------------------------------------------------------------

const onehot = exampleOp({
  doc: 'One-hot vectors of labels, as float32. Several labels of one example become one multi-hot vector, or with multi=False one vector each.',
  options: {
    depth: z.int().min(1).describe('length of the vector: the number of classes'),
    key: z.string().default('labels').describe('key of the labels: integers'),
    key_result: z.string().nullable().default(null).describe('key to write; None is the same as key'),
    multi: z.boolean().default(true).describe('one vector for all labels of an example'),
    on: z.number().default(1).describe('value at the label'),
    off: z.number().default(0).describe('value elsewhere'),
  },
  positional: ['depth', 'key', 'key_result', 'multi', 'on', 'off'],
  create: ({ depth, key, key_result, multi, on, off }) => {
    return (example) => {
      const labels = arrayOf(featureOf(example, key, 'onehot'), key, 'onehot');
      const hot = labels.shape.length > 0 && multi ? multiHot(labels) : oneHot(labels);
      return { ...example, [key_result || key]: hot };
    };

    function multiHot(labels: HostArray): HostArray {
      if (labels.shape.length > 1) {
        const fix = 'flatten them with reshape((-1,)), or set multi=False.';
        throw errors.kind({
          op: 'onehot',
          key,
          found: describeFeature(labels),
          expected: 'a list of labels',
          fix,
        });
      }
      const out = allocate('float32', [depth]);
      out.data.fill(off);
      for (const value of labels.data) {
        const label = Math.trunc(value);
        if (label < 0 || label >= depth) {
          throw errors.size({
            op: 'onehot',
            problem: `finds the label ${label}, which isn't one of 0 to ${depth - 1}`,
            fix: `set depth to the number of classes, now ${depth}.`,
          });
        }
        out.data[label] = on;
      }
      return out;
    }

    /** A label that isn't a class is all `off`. */
    function oneHot(labels: HostArray): HostArray {
      const out = allocate('float32', [...labels.shape, depth]);
      out.data.fill(off);
      labels.data.forEach((value, i) => {
        const label = Math.trunc(value);
        if (label >= 0 && label < depth) out.data[i * depth + label] = on;
      });
      return out;
    }
  },
});

// ---- Keys --------------------------------------------------------------------------------------------------------------

const keysOption = z.array(z.string()).default([]).describe('names of features');

function pick(example: Example, wanted: (key: string) => boolean): Example {
  return Object.fromEntries(Object.entries(example).filter(([key]) => wanted(key)));
}

const keep = exampleOp({
  doc: 'Keeps only these features.',
  options: { keys: keysOption },
  rest: 'keys',
  create: ({ keys }) => {
    const wanted = new Set(keys);
    return (example) => pick(example, (key) => wanted.has(key));
  },
});

const drop = exampleOp({
  doc: 'Drops these features.',
  options: { keys: keysOption },
  rest: 'keys',
  create: ({ keys }) => {
    const unwanted = new Set(keys);
    return (example) => pick(example, (key) => !unwanted.has(key));
  },
});

const copy = exampleOp({
  doc: 'Copies a feature under another name.',
  options: { inkey: z.string().describe('key to read'), outkey: z.string().describe('key to write') },
  positional: ['inkey', 'outkey'],
  // Ops never change a value in place, so that both names may stand for the same one.
  create:
    ({ inkey, outkey }) =>
    (example) => ({ ...example, [outkey]: featureOf(example, inkey, 'copy') }),
});

const flatten = exampleOp({
  doc: 'Takes nested features apart: {a: {b: x}} becomes {"a/b": x}.',
  options: {
    keys: z
      .array(z.string())
      .nullable()
      .default(null)
      .describe('names of the features to flatten; None is all'),
  },
  positional: ['keys'],
  create:
    ({ keys }) =>
    (example) => {
      const chosen = keys?.length ? new Set(keys) : undefined;
      const nested = chosen ? pick(example, (key) => chosen.has(key)) : example;
      const rest = chosen ? pick(example, (key) => !chosen.has(key)) : {};
      return { ...Object.fromEntries(namedFeatures(nested)), ...rest };
    },
});

/** Features by their slash-joined names; a list (of texts) is one feature. */
function namedFeatures(example: Example, prefix = ''): (readonly [name: string, feature: Feature])[] {
  return Object.keys(example)
    .sort()
    .flatMap((key) => {
      const feature = example[key] as Feature;
      return isDict(feature)
        ? namedFeatures(feature as Example, `${prefix}${key}/`)
        : [[prefix + key, feature] as const];
    });
}

// ---- Shapes ------------------------------------------------------------------------------------------------------------

const squeeze_last_dim = keyedOp('squeeze_last_dim', {
  doc: 'Removes the last axis, which must have length 1.',
  make: () => (value, _, key) => {
    const array = arrayOf(value, key, 'squeeze_last_dim');
    if (array.shape.at(-1) === 1) return new HostArray(array.dtype, array.shape.slice(0, -1), array.data);
    const expected = 'an array whose last axis has length 1';
    const fix = 'leave the op out, or name another key.';
    throw errors.kind({ op: 'squeeze_last_dim', key, found: describeFeature(array), expected, fix });
  },
});

const rag_tensor = keyedOp('rag_tensor', {
  doc: 'Puts an array into a list of one: a new first axis of length 1, whose entry may have another length in each example.',
  make: () => (value, _, key) => {
    const { dtype, shape, data } = arrayOf(value, key, 'rag_tensor');
    return new HostArray(dtype, [1, ...shape], data);
  },
});

const reshape = keyedOp('reshape', {
  doc: 'Gives an array another shape with the same number of values.',
  options: {
    new_shape: z
      .union([z.array(z.int().min(-1)), z.int().min(-1)])
      .describe('one length may be -1: whatever fits'),
  },
  positional: ['new_shape'],
  make: ({ new_shape }) => {
    const wanted = [new_shape].flat();
    return (value, _, key) => {
      const array = arrayOf(value, key, 'reshape');
      const given = wanted.filter((length) => length !== -1);
      const open = wanted.length - given.length;
      // Beside an axis of length 0 the open one gets what the other axes hold.
      const fitting = given.includes(0)
        ? sizeOf(array.shape.filter(Boolean)) / sizeOf(given.filter(Boolean))
        : array.data.length / sizeOf(given);
      const shape = wanted.map((length) => (length === -1 ? fitting : length));
      if (open <= 1 && sizeOf(shape) === array.data.length && shape.every(Number.isInteger)) {
        return new HostArray(array.dtype, shape, array.data);
      }
      throw errors.size({
        op: 'reshape',
        problem: `can't give ${describeFeature(array)} the shape [${wanted.join(', ')}]`,
        fix: `choose a shape with ${array.data.length} values.`,
      });
    };
  },
});

const concat = exampleOp({
  doc: 'Joins arrays along an axis; or lists of texts.',
  options: {
    inkeys: z.array(z.string()).min(1).describe('keys of the arrays, in order'),
    outkey: z.string().nullable().default(null).describe('key to write; None is the first of inkeys'),
    axis: z.int().default(-1).describe('counted from the end if negative'),
  },
  positional: ['inkeys', 'outkey', 'axis'],
  create:
    ({ inkeys, outkey, axis }) =>
    (example) => {
      const values = inkeys.map((key) => featureOf(example, key, 'concat'));
      const joined =
        isTextLists(values) && (axis === 0 || axis === -1)
          ? values.flat()
          : concatArrays('concat', values.map((value, i) => arrayOf(value, inkeys[i] as string, 'concat')), inkeys, axis); // prettier-ignore
      return { ...example, [outkey || (inkeys[0] as string)]: joined };
    },
});

const isTextLists = (values: readonly Feature[]): values is readonly string[][] =>
  values.every((value) => Array.isArray(value) && value.every((item) => typeof item === 'string'));

/** Of one type, and of one shape but for the axis (counted from the end if negative); `op` and `keys` are for errors. */
export function concatArrays(
  op: string,
  arrays: readonly HostArray[],
  keys: readonly string[],
  axis: number,
): HostArray {
  const first = arrays[0] as HostArray;
  const rank = first.shape.length;
  const along = axis < 0 ? axis + rank : axis;
  const fits = (array: HostArray) =>
    array.dtype === first.dtype &&
    array.shape.length === rank &&
    array.shape.every((length, i) => i === along || length === first.shape[i]);
  const odd = arrays.findIndex((array) => !fits(array));
  if (odd >= 0 || along < 0 || along >= rank) {
    const other = Math.max(odd, 0);
    throw errors.size({
      op,
      problem: `can't join "${keys[0]}" (${describeFeature(first)}) and "${keys[other]}" (${describeFeature(arrays[other] as HostArray)}) along axis ${axis}`,
      fix: 'give it arrays of one type that differ in that axis only.',
    });
  }
  const shape = first.shape.map((length, i) =>
    i === along ? arrays.reduce((sum, array) => sum + (array.shape[i] as number), 0) : length,
  );
  const out = allocate(first.dtype, shape);
  const outer = sizeOf(shape.slice(0, along));
  for (let i = 0, to = 0; i < outer; i++) {
    for (const { data } of arrays) {
      const part = data.length / outer;
      out.data.set(data.subarray(i * part, (i + 1) * part), to);
      to += part;
    }
  }
  return out;
}

const pad_to_shape = keyedOp('pad_to_shape', {
  doc: 'Pads an array to a shape with a constant.',
  options: {
    shape: z.array(z.int().min(0).nullable()).describe('lengths of the axes; None keeps one as it is'),
    pad_value: z.number().default(0).describe('the constant'),
    where: z
      .enum(['before', 'after', 'both'])
      .default('after')
      .describe('where the padding goes; "both" puts the odd one after'),
  },
  positional: ['shape', 'pad_value', 'where'],
  make:
    ({ shape, pad_value, where }) =>
    (value, _, key) => {
      const array = arrayOf(value, key, 'pad_to_shape');
      const target = array.shape.map((length, i) => shape[i] ?? length);
      if (
        array.shape.length !== shape.length ||
        target.some((length, i) => length < (array.shape[i] as number))
      ) {
        throw errors.size({
          op: 'pad_to_shape',
          problem: `can't pad ${describeFeature(array)} to [${shape.map((length) => length ?? 'None').join(', ')}]`,
          fix: 'give as many lengths as the array has axes, none shorter than it is.',
        });
      }
      const before = target.map((length, i) => {
        const added = length - (array.shape[i] as number);
        return where === 'before' ? added : where === 'both' ? Math.floor(added / 2) : 0;
      });
      return padArray(array, target, before, pad_value);
    },
});

function padArray(
  array: HostArray,
  shape: readonly number[],
  before: readonly number[],
  constant: number,
): HostArray {
  const out = allocate(array.dtype, shape);
  if (constant !== 0) out.data.fill(constant);
  const copyAxis = (axis: number, from: number, to: number): void => {
    if (axis === array.shape.length) out.data[to] = array.data[from] as number;
    else if (axis === array.shape.length - 1) {
      const length = array.shape[axis] as number;
      const start = to + (before[axis] as number);
      out.data.set(array.data.subarray(from, from + length), start);
    } else {
      const fromStride = sizeOf(array.shape.slice(axis + 1));
      const toStride = sizeOf(shape.slice(axis + 1));
      for (let i = 0; i < (array.shape[axis] as number); i++) {
        copyAxis(axis + 1, from + i * fromStride, to + (i + (before[axis] as number)) * toStride);
      }
    }
  };
  copyAxis(0, 0, 0);
  return out;
}

type Plain = number | boolean | string | readonly Plain[];
const plain: z.ZodType<Plain> = z.lazy(() => z.union([z.number(), z.boolean(), z.string(), z.array(plain)]));

const setdefault = exampleOp({
  doc: 'Sets a feature that is missing, or an array without values, to a constant. The constant fills the shape of an empty array, with its empty axes as 1.',
  options: {
    key: z.string().describe('key of the feature'),
    value: plain.describe('the constant: a number, a text, or a list of either'),
  },
  positional: ['key', 'value'],
  create:
    ({ key, value }) =>
    (example) => {
      const found = example[key];
      if (found === undefined) return { ...example, [key]: constantOf(value) };
      if (Array.isArray(found) && found.length === 0) return { ...example, [key]: [constantOf(value)] };
      if (!(found instanceof HostArray) || found.data.length > 0) return example;
      return { ...example, [key]: filled(found, constantOf(value)) };
    },
});

/** int32 for whole numbers, float32 for others, also where one is too large; a list of texts is a list. */
function constantOf(value: Plain): Feature {
  if (typeof value === 'string') return value;
  if (isTextLists([value as Feature])) return value as readonly string[];
  const shape: number[] = [];
  for (let at: Plain = value; Array.isArray(at); at = at[0] as Plain) shape.push(at.length);
  const flat = [value].flat(Infinity as 1) as (number | boolean | string)[];
  if (flat.length !== sizeOf(shape) || flat.some((item) => typeof item === 'string')) {
    throw errors.size({
      op: 'setdefault',
      problem: `can't make an array of ${JSON.stringify(value)}`,
      fix: 'give a number, a text, a list of texts, or a regular list of numbers.',
    });
  }
  const dtype = flat.every((item) => typeof item === 'boolean')
    ? 'bool'
    : flat.every((item) => (Number(item) | 0) === item)
      ? 'int32'
      : 'float32';
  const out = allocate(dtype, shape);
  out.data.set(flat.map(Number));
  return out;
}

function filled(empty: HostArray, constant: Feature): HostArray {
  const shape = empty.shape.map((length) => length || 1);
  const values = arrayOf(constant, 'value', 'setdefault');
  const tail = shape.slice(shape.length - values.shape.length);
  const broadcasts =
    values.shape.length <= shape.length &&
    values.shape.every((length, i) => length === tail[i] || length === 1);
  const out = allocate(empty.dtype, shape);
  if (!broadcasts || (values.data.length !== 1 && values.data.length !== sizeOf(tail))) {
    throw errors.size({
      op: 'setdefault',
      problem: `can't fill the shape [${shape.join(', ')}] with ${describeFeature(values)}`,
      fix: 'give a single value.',
    });
  }
  const data: TypedArrayOf[typeof empty.dtype] = out.data;
  for (let i = 0; i < data.length; i++) data[i] = values.data[i % values.data.length] as number;
  return out;
}

export const generalOps: Readonly<Record<string, Implementation<'pp'>>> = {
  onehot,
  keep,
  drop,
  copy,
  flatten,
  squeeze_last_dim,
  rag_tensor,
  reshape,
  concat,
  pad_to_shape,
  setdefault,
};
