// Parameters by name: what a model declares, what it reads, and which keys it draws.

import { type HostArray, hostArray } from '../../../core/array';
import type { Initializer, Model } from '../../../core/extensions';
import { constant, initializer, normal, ones, zeros } from '../../../core/layers/init';
import { declareParams, initParams } from '../../../core/layers/params';
import { foldPath, initKeys, initValue, type ParamDeclaration, Scope } from '../../../core/layers/scope';
import { type Runtime, TensorSpec } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import { mapTree, type NestedRecord, type Tree } from '../../../core/tree';
import { vit, vitOptions } from '../../../plugins/vit';
import { expectCase, goldenCases, readCase } from '../../support/golden';
import { fetchAll, onRuntimes, toTensor, useEagerCpu } from '../../support/runtimes';

useEagerCpu();

type Key = tf.random.HostKey;
type Path = readonly (string | number)[];

const casesOf = (name: string) =>
  goldenCases((info) => info.kind === 'random' && info.name === name).map(({ folder }) => folder);
const keyTensor = (key: Key) => toTensor(tf.random.keyArray(key));
const hostKey = (key: tf.Tensor): Key => [...key.dataSync()].map((word) => word >>> 0) as unknown as Key;
const named = (declared: readonly ParamDeclaration[]) =>
  declared.map(({ name, spec }) => [name, [...spec.shape]]);

function declare(model: (scope: Scope) => void): ParamDeclaration[] {
  const declared: ParamDeclaration[] = [];
  tf.tidy(() => model(Scope.declaring(declared)));
  return declared;
}

/** All of a model's parameters, each filled by its position in the order of declaration. */
function counted(declared: readonly ParamDeclaration[]): NestedRecord<tf.Tensor> {
  const params: NestedRecord<tf.Tensor> = {};
  declared.forEach(({ name, spec }, i) => {
    const path = name.split('/');
    const last = path.pop() as string;
    const parent = path.reduce((node, key) => (node[key] ??= {}) as NestedRecord<tf.Tensor>, params);
    parent[last] = tf.fill([...spec.shape], i);
  });
  return params;
}

describe('foldPath', () => {
  test.each(casesOf('flax.core.scope:_fold_in_static'))('%s', async (folder) => {
    const golden = await readCase(folder);
    const key = tf.random.key(golden.args.seed as number);
    // Flax leaves a key alone that no path is folded into.
    const keys = (golden.args.paths as Path[]).map((path) =>
      path.length === 0 ? key : tf.random.foldIn(key, foldPath(path)),
    );
    const words = keys.flatMap((key) => [...tf.random.keyArray(key).data]);
    expectCase(new Map([['keys', hostArray('int32', [keys.length, 2], words)]]), golden);
  });

  test.each(casesOf('vit:rng_paths'))('every parameter of a model: %s', async (folder) => {
    const { args, outputs } = await readCase(folder);
    const texts = outputs.get('init') as HostArray;
    const paths = JSON.parse(Buffer.from(texts.data as Uint8Array).toString('utf8')) as Path[];
    const declared = declare((scope) => {
      vit(vitOptions.parse(args)).apply(scope, { image: tf.zeros([1, 32, 32, 3]) }, { train: false });
    });
    // Flax draws for the layers of a scan twice, and the second numbers count.
    const counts = (path: Path) =>
      args.scan !== true || !path.includes('encoderblock') || (path.at(-1) as number) > 2;
    expect(declared.map(({ fold }) => fold)).toEqual(paths.filter(counts).map(foldPath));
  });
});

describe('declaring', () => {
  test('parameters in the order of use, with their paths, shapes and types', () => {
    const declared = declare((scope) => {
      const layer = scope.child('layer');
      layer.child('dense').param('kernel', [2, 3], normal());
      layer.child('dense').param('bias', [3], zeros);
      scope.param('scale', [], ones, 'bfloat16');
    });
    expect(declared.map(({ name, spec }) => [name, spec])).toEqual([
      ['layer/dense/kernel', new TensorSpec('float32', [2, 3])],
      ['layer/dense/bias', new TensorSpec('float32', [3])],
      ['scale', new TensorSpec('bfloat16', [])],
    ]);
    // A counter for each scope.
    expect(declared.map(({ fold }) => fold)).toEqual(
      [['layer', 'dense', 1], ['layer', 'dense', 2], [1]].map(foldPath),
    );
  });

  test('a layer that is called twice shares its parameters', () => {
    const layer = (scope: Scope) => scope.child('dense').param('kernel', [2], zeros);
    const declared = declare((scope) => {
      expect(scope.child('dense')).toBe(scope.child('dense'));
      layer(scope);
      layer(scope);
      scope.child('dense').param('bias', [1], zeros);
    });
    expect(named(declared)).toEqual([
      ['dense/kernel', [2]],
      ['dense/bias', [1]],
    ]);
    expect(declared[1]?.fold).toBe(foldPath(['dense', 2]));
    expect(() =>
      declare((scope) => {
        layer(scope);
        scope.child('dense').param('kernel', [3], zeros);
      }),
    ).toThrow('The parameter "dense/kernel" has shape [2], the model expects [3].');
  });

  test('the model gets zeros of the shape', () => {
    declare((scope) => {
      const value = scope.param('x', [2, 1], ones);
      expect([value.shape, [...value.dataSync()]]).toEqual([
        [2, 1],
        [0, 0],
      ]);
    });
  });
});

describe('reading', () => {
  const params = () => ({
    head: { kernel: tf.tensor([1, 2], [2, 1]), bias: tf.tensor([3]) },
    norm: tf.tensor([4, 5]),
  });

  test('gives the very tensors', () => {
    const all = params();
    const scope = Scope.reading(all);
    expect(scope.child('head').param('kernel', [2, 1], zeros)).toBe(all.head.kernel);
    expect(scope.param('norm', [2], zeros)).toBe(all.norm);
  });

  test.each<[string, (scope: Scope) => unknown, string, RegExp]>([
    [
      'a missing parameter',
      (scope) => scope.child('head').param('kernal', [2, 1], zeros),
      'model/missing-param',
      /There is no parameter "head\/kernal"\. Did you mean "?kernel"?\?[^]*beside it are: kernel, bias/,
    ],
    [
      'a missing layer',
      (scope) => scope.child('heads').child('inner').param('kernel', [1], zeros),
      'model/missing-param',
      /"heads\/inner\/kernel"/,
    ],
    [
      'a layer where a parameter is wanted',
      (scope) => scope.param('head', [1], zeros),
      'model/missing-param',
      /There is no parameter "head"/,
    ],
    [
      'a layer inside of a parameter',
      (scope) => scope.child('norm').param('scale', [2], zeros),
      'model/missing-param',
      /"norm\/scale"/,
    ],
    [
      'another shape',
      (scope) => scope.child('head').param('kernel', [2, 10], zeros),
      'model/param-shape',
      /"head\/kernel" has shape \[2, 1\], the model expects \[2, 10\]/,
    ],
    [
      'another rank',
      (scope) => scope.child('head').param('bias', [1, 1], zeros),
      'model/param-shape',
      /"head\/bias" has shape \[1\], the model expects \[1, 1\]/,
    ],
  ])('%s', (_name, read, code, message) => {
    const call = () => read(Scope.reading(params()));
    expect(call).toThrow(message);
    expect(call).toThrow(expect.objectContaining({ code }));
  });

  test('errors about shapes say where', () => {
    expect(Scope.reading({}).child('a').child('b').shapeError('it is odd', 'make it even.').message).toBe(
      '"a/b": it is odd.\nTry: make it even.',
    );
    expect(Scope.reading({}).shapeError('it is odd', 'make it even.').message).toMatch(
      /^The model: it is odd/,
    );
  });
});

describe('stacked layers', () => {
  const model = (scope: Scope) =>
    scope.stacked('block', 3).map((layer) => layer.child('dense').param('kernel', [2, 4], normal(1)));

  test('are declared once, with the axis of layers', () => {
    const declared = declare((scope) => {
      expect(model(scope)).toHaveLength(3);
      scope.stacked('last', 2, 1).forEach((layer) => layer.param('bias', [5], zeros));
    });
    expect(named(declared)).toEqual([
      ['block/dense/kernel', [3, 2, 4]],
      ['last/bias', [5, 2]],
    ]);
    expect(declared[0]?.layers).toEqual([{ length: 3, axis: 0 }]);
    // Flax runs the body twice, and numbers on.
    expect(declared[0]?.fold).toBe(foldPath(['block', 'dense', 2]));
  });

  test('read their own part', () => {
    const kernel = tf.reshape(tf.range(0, 24), [3, 2, 4]);
    const parts = model(Scope.reading({ block: { dense: { kernel } } }));
    expect(parts.map((part) => part.dataSync()[0])).toEqual([0, 8, 16]);
    const bias = tf.reshape(tf.range(0, 10), [5, 2]);
    const columns = Scope.reading({ last: { bias } })
      .stacked('last', 2, 1)
      .map((layer) => [...layer.param('bias', [5], zeros).dataSync()]);
    expect(columns).toEqual([
      [0, 2, 4, 6, 8],
      [1, 3, 5, 7, 9],
    ]);
  });

  test('the gradient of a stack has its shape', () => {
    const kernel = tf.ones([3, 2, 4]);
    const gradient = tf.grad((kernel: tf.Tensor) => {
      const parts = model(Scope.reading({ block: { dense: { kernel } } }));
      return tf.addN(parts.map((part, i) => tf.mul(tf.sum(part), i + 1)));
    })(kernel);
    expect(gradient.shape).toEqual([3, 2, 4]);
    expect([...tf.mean(gradient, [1, 2]).dataSync()]).toEqual([1, 2, 3]);
  });

  test('inside of each other', () => {
    const nested = (scope: Scope) =>
      scope
        .stacked('outer', 2)
        .map((outer) => outer.stacked('inner', 3, 1).map((inner) => inner.param('w', [4, 5], normal(1))));
    const [declaration] = declare(nested) as [ParamDeclaration];
    expect(declaration.spec.shape).toEqual([2, 4, 3, 5]);
    expect(declaration.layers.map(({ length }) => length)).toEqual([2, 3]);

    const w = tf.reshape(tf.range(0, 120), [2, 4, 3, 5]);
    const read = nested(Scope.reading({ outer: { inner: { w } } }));
    read.forEach((row, i) =>
      row.forEach((value, j) => {
        const want = tf.squeeze(tf.slice(w, [i, 0, j, 0], [1, 4, 1, 5]), [0, 2]);
        expect(value.dataSync()).toEqual(want.dataSync());
      }),
    );
    // Each layer has a key of its own, the inner ones next to each other.
    const keys = initKeys(declaration, tf.random.key(1));
    expect(new Set(keys.map(String)).size).toBe(6);
    const rows = tf.stack(keys.map(keyTensor));
    const value = initValue(declaration, rows);
    expect(value.shape).toEqual([2, 4, 3, 5]);
    const fourth = tf.squeeze(tf.slice(value, [1, 0, 0, 0], [1, 4, 1, 5]), [0, 2]);
    expect(fourth.dataSync()).toEqual(normal(1)(keyTensor(keys[3] as Key), [4, 5]).dataSync());
  });

  test('another number of layers than the checkpoint has', () => {
    const read = () => model(Scope.reading({ block: { dense: { kernel: tf.zeros([2, 2, 4]) } } }));
    expect(read).toThrow('"block" has parameters of 2 layers, and the model has 3');
    const flat = () => model(Scope.reading({ block: { dense: { kernel: tf.zeros([2, 4]) } } }));
    expect(flat).toThrow('"block/dense/kernel" has shape [2, 4], the model expects [3, 2, 4]');
  });

  test('keys are split over the layers before the path is folded in', () => {
    const [declaration] = declare((scope) => void model(scope)) as [ParamDeclaration];
    const key = tf.random.key(42);
    expect(initKeys(declaration, key)).toEqual(
      tf.random.split(key, 3).map((of) => tf.random.foldIn(of, foldPath(['block', 'dense', 2]))),
    );
  });
});

describe('random streams', () => {
  const key = tf.random.key(3);
  const streams = () => ({ dropout: keyTensor(key) });

  test('a key for each draw, by the path', () => {
    const scope = Scope.reading({}, streams());
    const drawn = [scope.rng('dropout'), scope.rng('dropout'), scope.child('a').rng('dropout')].map(hostKey);
    expect(drawn).toEqual([[1], [2], ['a', 1]].map((path) => tf.random.foldIn(key, foldPath(path))));
    // Parameters have counters of their own.
    expect(scope.hasRng('dropout')).toBe(true);
    expect(scope.child('a').hasRng('dropout')).toBe(true);
    expect(scope.hasRng('params')).toBe(false);
  });

  test('one for each layer of a stack', () => {
    const layers = Scope.reading({}, streams()).stacked('block', 3);
    expect(layers.map((layer) => hostKey(layer.child('Dropout_0').rng('dropout')))).toEqual(
      tf.random.split(key, 3).map((of) => tf.random.foldIn(of, foldPath(['block', 'Dropout_0', 2]))),
    );
  });

  test('none outside of training', () => {
    const scope = Scope.reading({}).child('a');
    expect(scope.hasRng('dropout')).toBe(false);
    expect(() => scope.rng('dropout')).toThrow('The scope "a" has no random stream "dropout"');
  });
});

onRuntimes((use) => {
  test('masks of dropout, as flax draws them', async () => {
    const golden = await readCase('random_dropout_mask');
    const { rate, path } = golden.args as { rate: number; path: [string, number] };
    const f = use.runtime.jit(
      (x: tf.Tensor, key: tf.Tensor) => {
        const scope = Scope.reading({}, { dropout: key }).child(path[0]);
        return tf.dropout(x, rate, scope.rng('dropout'));
      },
      { name: 'dropout' },
    );
    const x = use.runtime.toDevice(golden.inputs.get('x') as HostArray);
    const got = await Promise.all(
      [...golden.outputs.keys()].map(async (seed) => {
        const key = use.runtime.toDevice(tf.random.keyArray(tf.random.key(Number(seed))));
        return [seed, await use.runtime.toHost(f(x, key))] as const;
      }),
    );
    expectCase(new Map(got), golden);
  });

  test('initial values: one program for equal parameters, one value for each', async () => {
    const made: string[] = [];
    const counting = {
      ...use.runtime,
      toDevice: (array: HostArray) => use.runtime.toDevice(array),
      jit: (fn: (keys: tf.Tensor) => tf.Tensor, options: { name: string }) => {
        made.push(options.name);
        return use.runtime.jit(fn, options);
      },
    } as unknown as Runtime;
    const declared = declare((scope) => {
      for (const name of ['a', 'b', 'c']) scope.child(name).param('kernel', [3, 2], normal(1));
      scope.param('bias', [2], normal(1));
      scope.param('other', [3, 2], normal(2));
      scope.stacked('stack', 2).forEach((layer) => layer.param('kernel', [3, 2], normal(1)));
    });
    const key = tf.random.key(9);
    const values = await fetchAll(use.runtime, initParams(counting, declared, key));
    expect(made).toEqual(['init normal(1)', 'init normal(1)', 'init normal(2)', 'init normal(1)']);
    expect([...values.keys()]).toEqual(['a/kernel', 'b/kernel', 'bias', 'c/kernel', 'other', 'stack/kernel']);
    const draw = use.runtime.jit((key: tf.Tensor) => tf.random.normal(key, [3, 2]), { name: 'draw' });
    for (const name of ['a', 'b', 'c']) {
      const own = tf.random.foldIn(key, foldPath([name, 1]));
      const want = await use.runtime.toHost(draw(use.runtime.toDevice(tf.random.keyArray(own))));
      expect(values.get(`${name}/kernel`)).toEqual(want);
    }
  });
});

test('a model is declared with one example, and without its values', () => {
  const seen: (readonly number[])[] = [];
  const model: Model = {
    apply(scope, { image, labels }) {
      seen.push((image as tf.Tensor).shape, (labels as tf.Tensor).shape);
      const kernel = scope.param('kernel', [3, 2], constant(1));
      return { output: tf.matMul(image as tf.Tensor, kernel), out: {} };
    },
  };
  const asked: Tree<TensorSpec>[] = [];
  const runtime = {
    evalShape(fn: (...args: unknown[]) => unknown, ...args: Tree<TensorSpec>[]) {
      asked.push(...args);
      return tf.tidy(() => {
        const zeros = args.map((arg) => mapTree(arg, ({ shape }: TensorSpec) => tf.zeros([...shape])));
        fn(...zeros);
        return {};
      });
    },
  } as unknown as Runtime;
  const declared = declareParams(runtime, model, {
    image: new TensorSpec('float32', [64, 3], [['data']]),
    labels: new TensorSpec('float32', [64, 2]),
  });
  expect(named(declared)).toEqual([['kernel', [3, 2]]]);
  expect(seen).toEqual([
    [1, 3],
    [1, 2],
  ]);
  expect(asked).toEqual([
    { image: new TensorSpec('float32', [1, 3]), labels: new TensorSpec('float32', [1, 2]) },
  ]);
});

test('counted parameters come back where they were declared', () => {
  const seen: [string, number][] = [];
  const model = (scope: Scope) => {
    const read = (at: Scope, name: string, init: Initializer) => {
      const value = at.param(name, [1], init);
      seen.push([`${at.name}/${name}`, value.dataSync()[0] as number]);
    };
    read(
      scope.child('x').child('y'),
      'w',
      initializer('seven', () => tf.fill([1], 7)),
    );
    read(scope.child('x'), 'w', ones);
    read(scope, 'w', zeros);
  };
  const declared = declare(model);
  seen.length = 0;
  model(Scope.reading(counted(declared)));
  expect(seen).toEqual([
    ['x/y/w', 0],
    ['x/w', 1],
    ['/w', 2],
  ]);
});
