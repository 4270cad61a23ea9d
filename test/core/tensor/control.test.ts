// Loops, branches and rematerialisation: values, gradients and second derivatives equal those of the same computation
// written out; and what a compiled program is made of.

import { memory } from '@tensorflow/tfjs-core';
import { type HostArray, hostArray, sizeOf } from '../../../core/array';
import { type Runtime, TensorSpec } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import { fetchAll, onRuntimes } from '../../support/runtimes';

// Compiling takes most of the time, and how fast the programs are doesn't matter.
process.env.BV_XLA_FLAGS = 'xla_backend_optimization_level=0';

const waves = (...shape: number[]): HostArray =>
  hostArray(
    'float32',
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => Math.sin(i * 1.3 + shape.length)),
  );

const steps = 3;
type Inputs = { scale: tf.Tensor; h: tf.Tensor; w: tf.Tensor; b: tf.Tensor };
const inputs = { scale: waves(), h: waves(2, 3), w: waves(steps, 3, 3), b: waves(steps, 3) };
const names = ['scale', 'h', 'w', 'b'] as const;

type Results = readonly tf.Tensor[];
interface Case {
  readonly name: string;
  readonly of: (inputs: Inputs) => Results;
  readonly writtenOut: (inputs: Inputs) => Results;
}

type X = { w: tf.Tensor; b: tf.Tensor };
type Cell = (h: tf.Tensor, x: X) => [tf.Tensor, tf.Tensor];

/** A layer that uses an outer tensor. */
const cellOf =
  (scale: tf.Tensor): Cell =>
  (h, { w, b }) => {
    const y = tf.tanh(tf.add(tf.matMul(h, w), tf.mul(b, scale)));
    return [tf.add(h, y), tf.mean(tf.square(y), 1)];
  };

function loop(cell: Cell, h: tf.Tensor, w: tf.Tensor, b: tf.Tensor, reverse = false): Results {
  const ws = tf.unstack(w);
  const bs = tf.unstack(b);
  const ys: tf.Tensor[] = [];
  let carry = h;
  for (const i of reverse ? [2, 1, 0] : [0, 1, 2]) {
    const [next, y] = cell(carry, { w: ws[i] as tf.Tensor, b: bs[i] as tf.Tensor });
    carry = next;
    ys[i] = y;
  }
  return [carry, tf.stack(ys)];
}

/** Made of an input inside of the function, so that a gradient has to pass through the closure. */
const outer = ({ scale }: Inputs) => tf.mul(scale, 1.5);

const scanCases = (['none', 'nothing_saveable', 'dots_saveable'] as const).map((remat): Case => ({
  name: `scan, ${remat}`,
  of: (given) => tf.scan(cellOf(outer(given)), given.h, { w: given.w, b: given.b }, { remat }),
  writtenOut: (given) => loop(cellOf(outer(given)), given.h, given.w, given.b),
}));

const rematCases = (['nothing_saveable', 'dots_with_no_batch_dims_saveable'] as const).map(
  (policy): Case => ({
    name: `remat, ${policy}`,
    of: (given) => {
      const cell = tf.remat(cellOf(outer(given)) as (h: tf.Tensor, x: X) => tf.Tensor[], policy);
      return loop(cell as Cell, given.h, given.w, given.b);
    },
    writtenOut: (given) => loop(cellOf(outer(given)), given.h, given.w, given.b),
  }),
);

const cases: readonly Case[] = [
  ...scanCases,
  ...rematCases,
  {
    name: 'scan backwards',
    of: ({ scale, h, w, b }) => tf.scan(cellOf(scale), h, { w, b }, { reverse: true }),
    writtenOut: ({ scale, h, w, b }) => loop(cellOf(scale), h, w, b, true),
  },
  {
    name: 'scan of an integer carry, outer tensors as results, and no xs',
    of: ({ h, scale }) => {
      const [{ n, at }, { outer, half }] = tf.scan(
        (carry: { n: tf.Tensor; at: tf.Tensor }) => {
          const at = tf.mul(carry.at, tf.sin(tf.cast(carry.n, 'float32')));
          return [
            { n: tf.add(carry.n, tf.scalar(2, 'int32')), at },
            { outer: scale, half: carry.n },
          ];
        },
        { n: tf.scalar(1, 'int32'), at: h },
        [],
        { length: 3 },
      );
      return [at, outer, tf.cast(tf.add(n, tf.sum(half)), 'float32')];
    },
    writtenOut: ({ h, scale }) => {
      const factor = Math.sin(1) * Math.sin(3) * Math.sin(5);
      return [tf.mul(h, factor), tf.stack([scale, scale, scale]), tf.scalar(7 + 1 + 3 + 5)];
    },
  },
  {
    name: 'scan in scan, with remat and cond inside',
    of: ({ scale, h, w, b }) => {
      const inner = (at: tf.Tensor, row: tf.Tensor): [tf.Tensor, tf.Tensor] => [
        tf.sin(tf.add(at, tf.mul(row, scale))),
        tf.sum(at),
      ];
      const layer = tf.remat((h: tf.Tensor, { w, b }: X): tf.Tensor[] => {
        const [at, sums] = tf.scan(inner, b, w);
        const bent = tf.cond(
          tf.greater(tf.sum(b), 0),
          () => tf.square(at),
          () => tf.mul(at, scale),
        );
        return [tf.add(h, bent), sums];
      });
      return tf.scan(layer as unknown as Cell, h, { w, b });
    },
    writtenOut: ({ scale, h, w, b }) => {
      const layer: Cell = (h, { w, b }) => {
        let at = b;
        const sums = tf.unstack(w).map((row) => {
          const sum = tf.sum(at);
          at = tf.sin(tf.add(at, tf.mul(row, scale)));
          return sum;
        });
        const bent = tf.where(tf.greater(tf.sum(b), 0), tf.square(at), tf.mul(at, scale));
        return [tf.add(h, bent), tf.stack(sums)];
      };
      return loop(layer, h, w, b);
    },
  },
  {
    name: 'cond',
    of: ({ scale, h, w }) =>
      [-1, 1].map((limit) =>
        tf.cond(
          tf.greater(tf.scalar(0), limit),
          () => tf.exp(tf.mul(h, scale)),
          () => tf.sin(tf.gather(tf.reshape(w, [9, 3]), [1, 2])),
        ),
      ),
    writtenOut: ({ scale, h, w }) => [
      tf.exp(tf.mul(h, scale)),
      tf.sin(tf.gather(tf.reshape(w, [9, 3]), [1, 2])),
    ],
  },
  {
    name: 'associativeScan of a linear recurrence',
    of: ({ w, b }) => {
      const a = tf.mul(tf.mean(w, 2), 2);
      const { a: factors, x } = tf.associativeScan(
        (l: { a: tf.Tensor; x: tf.Tensor }, r: { a: tf.Tensor; x: tf.Tensor }) => ({
          a: tf.mul(l.a, r.a),
          x: tf.add(tf.mul(l.x, r.a), r.x),
        }),
        { a, x: b },
      );
      return [x, factors];
    },
    writtenOut: ({ w, b }) => {
      const a = tf.unstack(tf.mul(tf.mean(w, 2), 2));
      const x = tf.unstack(b);
      const sums = [x[0] as tf.Tensor];
      const products = [a[0] as tf.Tensor];
      for (const i of [1, 2]) {
        sums.push(tf.add(tf.mul(sums[i - 1] as tf.Tensor, a[i] as tf.Tensor), x[i] as tf.Tensor));
        products.push(tf.mul(products[i - 1] as tf.Tensor, a[i] as tf.Tensor));
      }
      return [tf.stack(sums), tf.stack(products)];
    },
  },
  {
    name: 'topk',
    of: ({ h, w }) => [tf.topk(h, 2).values, tf.topk(w, 1).values],
    writtenOut: ({ h, w }) => [tf.reverse(tf.slice(sorted(h), [0, 1], [2, 2]), 1), tf.max(w, 2, true)],
  },
];

/** Rows of three ascending. */
function sorted(x: tf.Tensor): tf.Tensor {
  const low = tf.min(x, 1, true);
  const high = tf.max(x, 1, true);
  return tf.concat([low, tf.sub(tf.sub(tf.sum(x, 1, true), low), high), high], 1);
}

/** The results, the gradient of a sum of their squares, and the gradient of a sum of its sines. */
function derivatives(fn: (inputs: Inputs) => Results, given: Inputs): Record<string, tf.Tensor> {
  const named = (xs: readonly tf.Tensor[]) =>
    Object.fromEntries(names.map((name, i) => [name, xs[i]])) as unknown as Inputs;
  const loss = (...xs: tf.Tensor[]) =>
    tf.addN(fn(named(xs)).map((y, i) => tf.mul(tf.sum(tf.square(y)), i + 1)));
  const slope = (...xs: tf.Tensor[]) =>
    tf.addN(
      tf
        .valueAndGrads(loss)(xs)
        .grads.map((grad) => tf.sum(tf.sin(grad))),
    );
  const xs = names.map((name) => given[name]);
  const { grads } = tf.valueAndGrads(loss)(xs);
  const second = tf.valueAndGrads(slope)(xs).grads;
  const entries = [
    ...fn(given).map((y, i) => [`result ${i}`, y] as const),
    ...names.map((name, i) => [`gradient by ${name}`, grads[i] as tf.Tensor] as const),
    ...names.map((name, i) => [`second by ${name}`, second[i] as tf.Tensor] as const),
  ];
  return Object.fromEntries(entries);
}

onRuntimes((use, kind) => {
  test.each(cases.map((one) => [one.name, one] as const))('%s', async (name, { of, writtenOut }) => {
    const { runtime } = use;
    const both = runtime.jit(
      (given: Inputs) => ({ got: derivatives(of, given), want: derivatives(writtenOut, given) }),
      { name },
    );
    const given = Object.fromEntries(
      Object.entries(inputs).map(([key, array]) => [key, runtime.toDevice(array)]),
    ) as Inputs;
    const { got, want } = both(given);
    const found = await fetchAll(runtime, got);
    for (const [key, array] of await fetchAll(runtime, want)) {
      const values = (found.get(key) as HostArray).data as Float32Array;
      const scale = Math.max(1, ...Array.from(array.data as Float32Array, Math.abs));
      const error = Math.max(...Array.from(array.data as Float32Array, (x, i) => Math.abs(x - values[i]!)));
      expect([key, error / scale < 2e-5 || error]).toEqual([key, true]);
    }
  });

  test('whileLoop, which has no gradient', async () => {
    const { runtime } = use;
    type State = { x: tf.Tensor; n: tf.Tensor };
    const double = (x: tf.Tensor, limit: tf.Tensor) =>
      tf.whileLoop(
        ({ x }: State) => tf.less(tf.sum(x), limit),
        ({ x, n }: State) => ({ x: tf.mul(x, 2), n: tf.add(n, tf.scalar(1, 'int32')) }),
        { x, n: tf.scalar(0, 'int32') },
      );
    const run = runtime.jit(double, { name: 'double' });
    const [one, ten] = [1, 10].map((x) => runtime.toDevice(hostArray('float32', [], [x]))) as [
      tf.Tensor,
      tf.Tensor,
    ];
    const found = await fetchAll(runtime, run(one, ten));
    expect([...found.values()].map(({ data }) => data[0])).toEqual([4, 16]);
    const slope = runtime.jit((x: tf.Tensor) => tf.grad((x) => double(x, x).x)(x), { name: 'slope' });
    expect(() => slope(one)).toThrow('whileLoop has no gradient');
  });

  test.each<[string, string, (x: tf.Tensor) => unknown]>([
    [
      'another shape',
      'the value is float32[2] before and float32[1] after',
      (x) => tf.scan((h: tf.Tensor) => [tf.slice(h, 0, 1), h], x, [], { length: 2 }),
    ],
    [
      'another structure',
      'have different structures',
      (x) => tf.scan((h: tf.Tensor) => [[h, x] as never, x], x, [], { length: 2 }),
    ],
    ['no length', 'there is neither an xs nor a "length"', (x) => tf.scan((h: tf.Tensor) => [h, h], x, [])],
    ['two lengths', '2 and 3', (x) => tf.scan((h: tf.Tensor) => [h, h], x, x, { length: 3 })],
    [
      'a condition of two',
      'the condition is bool[2]',
      (x) =>
        tf.cond(
          tf.greater(x, 0),
          () => x,
          () => x,
        ),
    ],
  ])('%s', (_, message, wrong) => {
    const { runtime } = use;
    const x = runtime.toDevice(hostArray('float32', [2], [1, 2]));
    const run = runtime.jit((x: tf.Tensor) => wrong(x) as tf.Tensor[], { name: 'wrong' });
    expect(() => run(x)).toThrow(message);
  });

  if (kind === 'eager') return;

  const compiled = (fn: (...xs: tf.Tensor[]) => unknown, ...specs: TensorSpec[]) =>
    (use.runtime as Runtime).jit(fn as (...xs: tf.Tensor[]) => tf.Tensor[], { name: 'f' }).compile(...specs);

  const width = 32;
  const block = (h: tf.Tensor, w: tf.Tensor) => tf.add(h, tf.tanh(tf.matMul(tf.gelu(tf.matMul(h, w)), w)));
  const slopeOf = (model: (h: tf.Tensor, w: tf.Tensor) => tf.Tensor) => (h: tf.Tensor, w: tf.Tensor) =>
    tf.grad((w) => tf.sum(tf.square(model(h, w))))(w);
  const specs = (depth: number) => [
    new TensorSpec('float32', [128, width]),
    new TensorSpec('float32', [depth, width, width]),
  ];

  test('the program has one copy of the body, whatever the length', () => {
    const scanned = slopeOf((h, w) => tf.scan((h: tf.Tensor, w: tf.Tensor) => [block(h, w), []], h, w)[0]);
    const [few, many] = [2, 64].map((depth) => compiled(scanned, ...specs(depth)).text as string) as [
      string,
      string,
    ];
    expect(few.match(/stablehlo.while/g)).toHaveLength(2);
    expect(many.length).toBeLessThan(1.05 * few.length);
  });

  test('what the backward pass keeps', () => {
    const depth = 4;
    const temporaries = (model: (h: tf.Tensor, w: tf.Tensor) => tf.Tensor) =>
      compiled(slopeOf(model), ...specs(depth)).memory?.temporaries as number;
    const scanned = (remat: tf.RematPolicy) =>
      temporaries((h, w) => tf.scan((h: tf.Tensor, w: tf.Tensor) => [block(h, w), []], h, w, { remat })[0]);
    const separate = (remat: tf.RematPolicy) =>
      temporaries((h, w) => tf.unstack(w).reduce((h, w) => tf.remat(block, remat)(h, w), h));
    // Each block keeps its input alone, or also the results of two products and of two nonlinearities.
    for (const memory of [scanned, separate]) {
      const [all, dots, none] = (['none', 'dots_saveable', 'nothing_saveable'] as const).map(memory) as [
        number,
        number,
        number,
      ];
      expect(none).toBeLessThan(0.6 * all);
      expect(none).toBeLessThan(0.8 * dots);
      expect(dots).toBeLessThan(0.95 * all);
    }
  });

  test('tracing leaves no tensor behind', () => {
    const scanned = slopeOf((h, w) => tf.scan((h: tf.Tensor, w: tf.Tensor) => [block(h, w), []], h, w)[0]);
    const nested = slopeOf((h, w) =>
      tf.unstack(w).reduce(
        (h, w) =>
          tf.remat((h: tf.Tensor) =>
            tf.cond(
              tf.greater(tf.sum(h), 0),
              () => block(h, w),
              () => h,
            ),
          )(h),
        h,
      ),
    );
    const before = memory().numTensors;
    for (const model of [scanned, nested]) compiled(model, ...specs(2));
    expect(memory().numTensors).toBe(before);
  });

  test('a carry whose storage changes', () => {
    const model = (h: tf.Tensor) =>
      tf.scan((h: tf.Tensor) => [tf.castStorage(h, 'bfloat16'), h], h, [], { length: 2 });
    expect(() => compiled(model, new TensorSpec('float32', [2]))).toThrow(
      'value 0 is stored as f32[2] before and as bf16[2] after',
    );
    const half = slopeOf(
      (h, w) =>
        tf.scan(
          (h: tf.Tensor, w: tf.Tensor) => [tf.castStorage(block(h, w), 'bfloat16'), []],
          tf.castStorage(h, 'bfloat16'),
          w,
        )[0],
    );
    expect(compiled(half, ...specs(2)).text).toContain('tensor<2x128x32xbf16>');
  });
});
