// Jitted functions: programs and their cache, donation, captured tensors, tracers, and what users can do wrong.

import * as tf from '@tensorflow/tfjs-core';
import { hostArray } from '../../../core/array';
import { TensorSpec } from '../../../core/runtime';
import { given, useXla, values } from './support';

const holder = useXla();
const jit: typeof holder.runtime.jit = (...args) => holder.runtime.jit(...args);
const put = (...data: number[]) => holder.runtime.toDevice(hostArray('float32', [data.length], data));
const list = (x: tf.Tensor) => Array.from(x.dataSync());

/** Warnings of the runtime that `body` gives rise to. */
function warnings(body: () => unknown): string[] {
  const spy = jest.spyOn(process, 'emitWarning').mockImplementation(() => {});
  try {
    body();
    return spy.mock.calls.map(([message, kind]) => `${kind as unknown as string}: ${message as string}`);
  } finally {
    spy.mockRestore();
  }
}

describe('programs', () => {
  test('trees go in and come out', () => {
    const f = jit(
      (tree: { a: tf.Tensor; b: tf.Tensor[]; none?: undefined }) => ({
        sum: tf.addN([tree.a, ...tree.b]),
        list: [tree.a],
      }),
      { name: 'trees' },
    );
    const { sum, list: same } = f({ a: put(1, 2), b: [put(10, 20), put(100, 200)] });
    expect(list(sum)).toEqual([111, 222]);
    expect(list(same[0]!)).toEqual([1, 2]);
  });

  test('one program for each combination of shapes, dtypes and static values', () => {
    const f = jit((x: tf.Tensor, by: number) => tf.mul(x, by), { name: 'scale', static: [1] });
    const found = warnings(() => {
      expect(list(f(put(1, 2), 3))).toEqual([3, 6]);
      expect(list(f(put(4, 5), 3))).toEqual([12, 15]);
      expect(f.programs).toBe(1);
      f(put(1, 2, 3), 3);
      expect(f.programs).toBe(2);
      f(put(1, 2, 3), 4);
      f(tf.cast(put(1, 2, 3), 'int32'), 4);
      expect(f.programs).toBe(4);
      f(put(9, 9), 3);
      expect(f.programs).toBe(4);
    });
    expect(found).toEqual([
      'RetraceWarning: "scale" is compiled again (program 2): argument 0 was f32[2] and is f32[3].',
      'RetraceWarning: "scale" is compiled again (program 3): static argument 1 was 3 and is 4.',
      'RetraceWarning: "scale" is compiled again (program 4): argument 0 was f32[3] and is i32[3].',
    ]);
  });

  test('static values that are meant, and a program more', () => {
    const f = jit((x: tf.Tensor, by: number) => tf.mul(x, by), { name: 'step', static: [1], variants: 3 });
    const found = warnings(() => {
      for (const by of [2, 3, 4, 2, 3]) f(put(1, 2), by);
      expect(f.programs).toBe(3);
      f(put(1, 2, 3), 2);
      f(put(1, 2), 5);
    });
    expect(found).toEqual([
      'RetraceWarning: "step" is compiled again (program 4): argument 0 was f32[2] and is f32[3].',
      'RetraceWarning: "step" is compiled again (program 5): static argument 1 was 2 and is 5.',
    ]);
  });

  test('a retrace names the leaf that changed', () => {
    const f = jit((tree: { w: tf.Tensor; b: tf.Tensor }) => tf.add(tree.w, tree.b), { name: 'layer' });
    const found = warnings(() => {
      f({ w: put(1, 2), b: put(1) });
      f({ w: put(1, 2), b: put(1, 2) });
    });
    expect(found).toEqual([
      'RetraceWarning: "layer" is compiled again (program 2): argument 0 b was f32[1] and is f32[2].',
    ]);
  });

  test('another structure is another program', () => {
    const f = jit((tree: tf.Tensor[]) => tf.addN(tree), { name: 'list' });
    const found = warnings(() => {
      f([put(1)]);
      f([put(1), put(2)]);
    });
    expect(found[0]).toContain('argument 0 has another structure');
  });

  test('the function runs once for each program', () => {
    let calls = 0;
    const f = jit(
      (x: tf.Tensor) => {
        calls++;
        return tf.neg(x);
      },
      { name: 'counted' },
    );
    f(put(1));
    f(put(2));
    expect(calls).toBe(1);
  });

  test('an unused argument stays an argument', () => {
    const f = jit((x: tf.Tensor, _unused: tf.Tensor) => tf.neg(x), { name: 'unused' });
    expect(list(f(put(1), put(2, 3)))).toEqual([-1]);
    expect(f.compile(put(1), put(2, 3)).text).toContain('%arg1: tensor<2xf32>');
  });

  test('results may be arguments, constants, or the same tensor twice', () => {
    const f = jit((x: tf.Tensor) => ({ x, one: tf.scalar(1), y: x, z: tf.clone(x) }), { name: 'passes' });
    const result = f(put(5));
    expect([result.x, result.one, result.y, result.z].map(list)).toEqual([[5], [1], [5], [5]]);
  });

  test('uint8 goes in as it is and computes as int32', async () => {
    const x = holder.runtime.toDevice(given('uint8', [2], 200, 100));
    const f = jit((t: tf.Tensor) => [tf.add(t, t), tf.cast(t, 'float32')] as const, { name: 'bytes' });
    const [sum, float] = f(x);
    expect([sum.dtype, list(sum), list(float)]).toEqual(['int32', [400, 200], [200, 100]]);
    expect(holder.runtime.specOf(x).dtype).toBe('uint8');
    expect((await holder.runtime.toHost(x)).data).toEqual(Uint8Array.of(200, 100));
  });

  test('compile works from specs and tells about the program', () => {
    const f = jit((x: tf.Tensor, w: tf.Tensor) => tf.matMul(x, w), { name: 'product' });
    const compiled = f.compile(new TensorSpec('float32', [8, 16]), new TensorSpec('float32', [16, 4]));
    expect(f.programs).toBe(1);
    expect(compiled.cached).toBe(false);
    expect(compiled.memory).toMatchObject({ arguments: 4 * (8 * 16 + 16 * 4), outputs: 4 * 8 * 4 });
    expect(compiled.flops).toBeGreaterThanOrEqual(2 * 8 * 16 * 4);
    f(tf.ones([8, 16]), tf.ones([16, 4]));
    expect(f.programs).toBe(1);
  });

  test('a trace is the text of the program without one, and keeps nothing', () => {
    // Too large to be a constant of the program.
    const captured = put(...new Array<number>(5000).fill(1));
    const f = jit((x: tf.Tensor) => tf.add(x, captured), { name: 'traced' });
    const [native, tensors] = [holder.runtime.liveObjects, tf.memory().numTensors];
    const text = f.trace(new TensorSpec('float32', [1]));
    expect([holder.runtime.liveObjects, tf.memory().numTensors]).toEqual([native, tensors]);
    expect(f.programs).toBe(0);
    expect(text).toBe(f.compile(put(3)).text);
    captured.dispose();
    expect(() => f.trace(3)).toThrow('number');
  });

  test('the text of a small train step', () => {
    const step = jit(
      (params: { b: tf.Tensor; w: tf.Tensor }, x: tf.Tensor) => {
        const { b, w } = params;
        const loss = (v: tf.Tensor, c: tf.Tensor) =>
          tf.mean(tf.square(tf.add(tf.matMul(x, v), c))) as tf.Scalar;
        const { value, grads } = tf.valueAndGrads(loss)([w, b]);
        const [dw, db] = grads as [tf.Tensor, tf.Tensor];
        return { params: { b: tf.sub(b, tf.mul(db, 0.5)), w: tf.sub(w, tf.mul(dw, 0.5)) }, value };
      },
      { name: 'tiny step', donate: [0] },
    );
    const spec = (...shape: number[]) => new TensorSpec('float32', shape);
    expect(step.compile({ b: spec(3), w: spec(2, 3) }, spec(4, 2)).text).toMatchSnapshot();
  });

  test('a jitted function inside of another is part of it', () => {
    const inner = jit((x: tf.Tensor) => tf.square(x), { name: 'inner' });
    const outer = jit((x: tf.Tensor) => tf.add(inner(x), 1), { name: 'outer' });
    expect(list(outer(put(3)))).toEqual([10]);
    expect(inner.programs).toBe(0);
  });

  test('a gradient passes through a jitted function', () => {
    const square = jit((x: tf.Tensor) => tf.square(x), { name: 'square' });
    expect(list(tf.grad((x: tf.Tensor) => tf.sum(square(x)))(put(3, 4)))).toEqual([6, 8]);
  });

  test('nothing leaks', () => {
    const f = jit((x: tf.Tensor) => tf.valueAndGrad((y: tf.Tensor) => tf.sum(tf.softmax(tf.exp(y))))(x), {
      name: 'no leak',
    });
    const x = put(1, 2, 3);
    const before = { tensors: tf.memory().numTensors, data: tf.memory().numDataBuffers };
    for (let i = 0; i < 3; i++) tf.dispose(f(x) as unknown as tf.TensorContainer);
    expect({ tensors: tf.memory().numTensors, data: tf.memory().numDataBuffers }).toEqual(before);
    x.dispose();
  });

  test('a failed trace leaves nothing behind', () => {
    const f = jit(
      (x: tf.Tensor) =>
        tf.tidy('deep', () => {
          tf.grad((y: tf.Tensor) => {
            tf.exp(y);
            throw new Error('on purpose');
          })(x);
        }),
      { name: 'fails' },
    );
    const scopes = tf.engine().state.scopeStack.length;
    expect(() => f(put(1))).toThrow('on purpose');
    expect(tf.engine().state.scopeStack.length).toBe(scopes);
    expect(list(jit((x: tf.Tensor) => tf.neg(x), { name: 'next' })(put(1)))).toEqual([-1]);
  });
});

describe('donation', () => {
  test('donated tensors are gone, and say so', async () => {
    const f = jit((state: { w: tf.Tensor }, x: tf.Tensor) => ({ w: tf.add(state.w, x) }), {
      name: 'update',
      donate: [0],
    });
    expect(f.compile({ w: put(1, 2) }, put(3, 4)).text).toContain('tf.aliasing_output = 0');
    const old = { w: put(1, 2) };
    const x = put(3, 4);
    const next = f(old, x);
    expect(list(next.w)).toEqual([4, 6]);
    expect(list(x)).toEqual([3, 4]);
    for (const use of [
      () => old.w.dataSync(),
      () => tf.neg(old.w),
      () => f(old, x),
      () => holder.runtime.specOf(old.w),
    ]) {
      expect(use).toThrow('The tensor [2] was donated to "update"');
    }
    await expect(holder.runtime.toHost(old.w)).rejects.toThrow('donated to "update"');
    old.w.dispose();
  });

  test('many steps keep as many buffers as one', () => {
    const f = jit((x: tf.Tensor) => tf.add(x, 1), { name: 'count', donate: [0] });
    let x = f(put(0));
    const before = tf.memory().numTensors;
    for (let i = 0; i < 20; i++) x = f(x);
    expect(tf.memory().numTensors).toBe(before);
    expect(list(x)).toEqual([21]);
  });

  test('calls that take turns, by structure, static value and type, get their own programs', () => {
    const f = jit(
      (tree: { a: tf.Tensor; b?: tf.Tensor }, by: number) => tf.mul(tf.addN(Object.values(tree)), by),
      {
        name: 'turns',
        static: [1],
      },
    );
    warnings(() => {
      for (let i = 0; i < 3; i++) {
        expect(list(f({ a: put(1) }, 2))).toEqual([2]);
        expect(list(f({ a: put(1), b: put(2) }, 2))).toEqual([6]);
        expect(list(f({ b: put(5), a: put(1) }, 2))).toEqual([12]);
        expect(list(f({ a: put(1, 2) }, 2))).toEqual([2, 4]);
        expect(list(f({ a: put(1) }, 3))).toEqual([3]);
      }
    });
    expect(f.programs).toBe(4);
    expect(() => f({ a: 1 as never }, 2)).toThrow('argument 0 a');
  });

  test('results take the memory of donated arguments of their type, in order', () => {
    const f = jit(
      (s: { a: tf.Tensor; b: tf.Tensor; c: tf.Tensor }) => [
        tf.neg(s.c),
        tf.neg(s.b),
        tf.neg(s.a),
        tf.sum(s.a),
      ],
      { name: 'order', donate: [0] },
    );
    const { text } = f.compile({
      a: new TensorSpec('float32', [2]),
      b: new TensorSpec('float32', [3]),
      c: new TensorSpec('float32', [2]),
    });
    // The first result of type [2] takes a's memory, the second one c's.
    expect(text).toMatch(/%arg0: tensor<2xf32> \{tf.aliasing_output = 0 : i32\}/);
    expect(text).toMatch(/%arg1: tensor<3xf32> \{tf.aliasing_output = 1 : i32\}/);
    expect(text).toMatch(/%arg2: tensor<2xf32> \{tf.aliasing_output = 2 : i32\}/);
  });

  test('a donated argument that no result can use is gone all the same', () => {
    const f = jit((x: tf.Tensor) => tf.sum(x), { name: 'sum', donate: [0] });
    const x = put(1, 2);
    expect(list(f(x))).toEqual([3]);
    expect(() => x.dataSync()).toThrow('donated to "sum"');
  });

  test('the same memory twice is refused', () => {
    const f = jit((a: tf.Tensor, b: tf.Tensor) => tf.add(a, b), { name: 'both', donate: [0] });
    const x = put(1, 2);
    expect(() => f(x, x)).toThrow('given the same memory twice, as argument 0 and as argument 1');
    expect(() => f(x, tf.clone(x))).toThrow('given the same memory twice');
    expect(list(x)).toEqual([1, 2]);
  });
});

describe('tensors that the function refers to', () => {
  test('a concrete tensor becomes a hidden argument', () => {
    const table = holder.runtime.toDevice(values([300, 10]));
    const f = jit((x: tf.Tensor) => tf.add(x, tf.sum(table)), { name: 'captures' });
    const { text } = f.compile(put(1));
    expect(text).toContain('%arg1: tensor<300x10xf32>');
    const expected = list(tf.sum(table))[0]!;
    expect(list(f(put(1)))[0]).toBeCloseTo(1 + expected, 4);
  });

  test('the program keeps it when its owner disposes of it', () => {
    const table = put(5, 6);
    const f = jit((x: tf.Tensor) => tf.add(x, table), { name: 'keeps' });
    f(put(1, 1));
    table.dispose();
    expect(list(f(put(1, 1)))).toEqual([6, 7]);
  });

  test('a small constant is part of the program, a large one an argument', () => {
    const f = jit((x: tf.Tensor) => tf.add(x, tf.tensor([1, 2, 3])), { name: 'small' });
    expect(f.compile(put(1, 1, 1)).text).toContain('dense<[1.0, 2.0, 3.0]>');
    const big = Float32Array.from({ length: 5000 }, (_, i) => i);
    const g = jit((x: tf.Tensor) => tf.sum(tf.mul(x, tf.tensor(big))), { name: 'large' });
    expect(g.compile(put(1)).text).toContain('%arg1: tensor<5000xf32>');
    expect(list(g(put(2)))[0]).toBeCloseTo(5000 * 4999, -2);
  });

  test('one that was donated meanwhile is an error', () => {
    const table = put(5, 6);
    const f = jit((x: tf.Tensor) => tf.add(x, table), { name: 'uses' });
    f(put(1, 1));
    jit((x: tf.Tensor) => tf.neg(x), { name: 'takes', donate: [0] })(table);
    expect(() => f(put(1, 1))).toThrow('donated to "takes"');
  });
});

describe('what a trace refuses', () => {
  const traced = (fn: (x: tf.Tensor) => unknown) => () => jit(fn, { name: 'step' })(put(1, 2));

  test('reading values', async () => {
    expect(traced((x) => tf.exp(x).dataSync())).toThrow(
      '"step" is being traced, so the tensor made by Exp [2] has no values yet',
    );
    expect(traced((x) => x.arraySync())).toThrow('the tensor (argument 0) [2]');
    let pending: Promise<unknown> = Promise.resolve();
    expect(traced((x) => (pending = x.data()))).toThrow();
    await expect(pending).rejects.toThrow('is being traced');
  });

  test('tensors that outlive it', () => {
    let kept: tf.Tensor | undefined;
    jit((x: tf.Tensor) => ((kept = tf.keep(tf.exp(x))), tf.neg(x)), { name: 'leaky' })(put(1));
    expect(() => tf.neg(kept!)).toThrow('made while "leaky" was traced is used outside');
    expect(() => kept!.dataSync()).toThrow('made while "leaky" was traced');
    expect(() => jit((x: tf.Tensor) => tf.add(x, kept!), { name: 'other' })(put(1))).toThrow(
      'made while "leaky" was traced',
    );
  });

  test.each([
    ['randomNormal', () => tf.randomNormal([2])],
    ['randomUniform', () => tf.randomUniform([2])],
    ['randomUniformInt', () => tf.randomUniformInt([2], 0, 5)],
    ['randomStandardNormal', () => tf.randomStandardNormal([2])],
    ['randomGamma', () => tf.randomGamma([2], 1)],
    ['truncatedNormal', () => tf.truncatedNormal([2])],
    ['rand', () => tf.rand([2], Math.random)],
  ])('tf.%s, whose numbers it would bake in', (op, make) => {
    expect(traced((x) => tf.add(x, make()))).toThrow(new RegExp(`tf\\.${op} ran while "step" was traced`));
    expect(make().shape).toEqual([2]);
  });

  test('tf.dropout', () => {
    expect(traced((x) => tf.dropout(x, 0.5))).toThrow(/tf\.\w+ ran while "step" was traced/);
  });

  test('tf.multinomial', () => {
    expect(traced((x) => tf.multinomial(x as tf.Tensor1D, 2))).toThrow(
      'The tfjs kernel "Multinomial" doesn\'t run on the xla runtime',
    );
  });

  test('kernels without a lowering, by name', () => {
    expect(traced((x) => tf.unique(x))).toThrow(
      'The tfjs kernel "Unique" doesn\'t run on the xla runtime: the shape of its result depends on values',
    );
    expect(() => tf.unique(put(1, 1))).toThrow('"Unique" doesn\'t run on the xla runtime');
  });

  test('what is no tensor', () => {
    const f = jit((x: { a: tf.Tensor; b: unknown }) => x.a, { name: 'takes' });
    expect(() => f({ a: put(1), b: 3 })).toThrow(
      '"takes" got the number 3 as argument 0 b, and can take tensors alone',
    );
    expect(() => f({ a: put(1), b: given('float32', [1], 1) })).toThrow('got a HostArray as argument 0 b');
    expect(traced((x) => ({ x, name: 'loss' }))).toThrow('"step" returned the string loss as result name');
    expect(traced(async (x) => x)).toThrow('"step" returned a promise');
  });

  test('strings', () => {
    expect(() => tf.concat([tf.tensor(['a']), tf.tensor(['b'])])).toThrow('no string tensors');
  });
});

describe('evalShape', () => {
  test('computes the shapes of results', () => {
    const spec = holder.runtime.evalShape(
      (x: tf.Tensor, w: tf.Tensor, by: number) => ({
        y: tf.matMul(x, w),
        int: tf.cast(tf.mul(x, by), 'int32'),
      }),
      new TensorSpec('float32', [5, 3]),
      new TensorSpec('float32', [3, 2]),
      4,
    );
    expect(spec).toEqual({ y: new TensorSpec('float32', [5, 2]), int: new TensorSpec('int32', [5, 3]) });
  });

  test('works inside of a trace', () => {
    const f = jit(
      (x: tf.Tensor) => {
        const { shape } = holder.runtime.evalShape(
          (y: tf.Tensor) => tf.add(y, x),
          new TensorSpec('float32', [3, 1]),
        ) as TensorSpec;
        return tf.zeros([...shape]);
      },
      { name: 'asks' },
    );
    expect(f(put(1, 2)).shape).toEqual([3, 2]);
  });
});

describe('outside of a trace', () => {
  test('kernels run at once', () => {
    const x = tf.tensor([
      [1, 2],
      [3, 4],
    ]);
    expect(list(tf.matMul(x, x))).toEqual([7, 10, 15, 22]);
    expect(list(tf.add(put(1, 2), 0.5))).toEqual([1.5, 2.5]);
    expect(tf.split(put(1, 2, 3, 4), 2).map(list)).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(tf.split(put(1, 2), 1).map(list)).toEqual([[1, 2]]);
    expect(list(tf.range(0, 3))).toEqual([0, 1, 2]);
    expect(list(tf.fill([2], 7))).toEqual([7, 7]);
    expect(list(tf.grad((y: tf.Tensor) => tf.sum(tf.square(y)))(put(1, 2)))).toEqual([2, 4]);
  });

  test('clones share data until the last is disposed', () => {
    const x = put(1, 2);
    const y = tf.clone(x);
    x.dispose();
    expect(list(y)).toEqual([1, 2]);
    expect(() => x.dataSync()).toThrow();
    y.dispose();
    expect(() => tf.neg(y)).toThrow();
  });

  test('memory is freed', () => {
    const before = tf.memory();
    tf.tidy(() => tf.exp(tf.add(put(1, 2), 1))).dispose();
    const after = tf.memory();
    expect([after.numTensors, after.numDataBuffers]).toEqual([before.numTensors, before.numDataBuffers]);
  });

  test('idle waits for what runs', async () => {
    const f = jit((x: tf.Tensor) => tf.matMul(x, x), { name: 'long' });
    let x = tf.mul(tf.ones([200, 200]), 0.001);
    for (let i = 0; i < 5; i++) x = f(x);
    await holder.runtime.idle();
  });
});
