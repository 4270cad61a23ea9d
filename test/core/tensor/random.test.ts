// The streams of jax.random: recorded, on the host, in eager ops and in XLA programs.

import fc from 'fast-check';
import { type HostArray, hostArray, sizeOf } from '../../../core/array';
import { lecunNormal, normal, xavierUniform } from '../../../core/layers/init';
import * as tf from '../../../core/tensor';
import { expectCase, type GoldenCase, goldenCases, readCase } from '../../support/golden';
import { fetchAll, onRuntimes } from '../../support/runtimes';

// All distributions in one program compile for ten seconds on a quiet machine.
const { random } = tf;
type Key = tf.random.HostKey;

const foldersOf = (start: string) =>
  goldenCases(({ kind, name, folder }) => kind === 'random' && name === 'jax.random' && folder.startsWith(start)) // prettier-ignore
    .map(({ folder }) => folder);

const shapeOf = (text: string) => (text === '' ? [] : text.split('x').map(Number));
const rangeOf = (text: string) => text.split('..').map(Number) as [number, number];

/** The tensor of a recorded entry, from its name and the key that everything was drawn with. */
function draw(entry: string, want: HostArray, key: tf.Tensor): tf.Tensor {
  const [what, argument = ''] = entry.split(/\/(.*)/) as [string, string?];
  const { shape } = want;
  switch (what) {
    case 'key':
      return tf.clone(key);
    case 'split2':
      return random.splitStacked(key, 2);
    case 'split5':
      return random.splitStacked(key, 5);
    case 'fold_in':
      return random.foldIn(key, Number(argument));
    case 'bits':
      return random.bits(key, shapeOf(argument));
    case 'uniform':
      return argument === '' ? random.uniform(key, shape) : random.uniform(key, shape, ...rangeOf(argument));
    case 'normal':
      return random.normal(key, shape);
    case 'truncated_normal':
      return random.truncatedNormal(key, -2, 2, shape);
    case 'bernoulli':
      return random.bernoulli(key, Number(argument), shape);
    case 'randint':
      return random.randint(key, shape, ...rangeOf(argument));
    case 'permutation':
      return tf.slice(random.permutation(key, Number(argument)), 0, sizeOf(shape));
    case 'exponential':
      return random.exponential(key, shape);
    case 'gumbel':
      return random.gumbel(key, shape);
    case 'categorical': {
      const logits = tf.log(tf.tensor([0.1, 0.2, 0.3, 0.4]));
      return random.categorical(key, tf.broadcastTo(logits, [...shape, 4]));
    }
    case 'loggamma':
      return random.logGamma(key, Number(argument), shape);
    case 'gamma':
      return tf.exp(random.logGamma(key, Number(argument), shape));
    case 'beta': {
      const [a, b = a] = (argument.split('x')[0] as string).split(',').map(Number) as [number, number?];
      return random.beta(key, a, b, shape);
    }
    case 'xavier_uniform':
      return xavierUniform()(key, shape);
    case 'lecun_normal':
      return lecunNormal()(key, shape);
    case 'initializers.normal':
      return normal(Number(argument))(key, shape);
    default:
      throw new Error(`there is no ${entry} here`);
  }
}

const keyOf = ({ args }: GoldenCase): Key => random.key(args.seed as number);

onRuntimes((use) => {
  // One program for all seeds: compiling it is what takes the time.
  const programs = new Map<string, (key: tf.Tensor) => Record<string, tf.Tensor>>();
  const programOf = ({ outputs }: GoldenCase) => {
    const id = [...outputs.keys()].join();
    const made =
      programs.get(id) ??
      use.runtime.jit(
        (key: tf.Tensor) =>
          Object.fromEntries([...outputs].map(([name, want]) => [name, draw(name, want, key)])),
        { name: 'draws' },
      );
    programs.set(id, made);
    return made;
  };

  test.each([...foldersOf('random_integers'), ...foldersOf('random_floats')])('%s', async (folder) => {
    const golden = await readCase(folder);
    const key = use.runtime.toDevice(random.keyArray(keyOf(golden)));
    expectCase(await fetchAll(use.runtime, programOf(golden)(key)), golden);
  });

  test('keys with leading dimensions give what each key gives', async () => {
    const keys = random.split(random.key(5), 6);
    const words = keys.flatMap((key) => [...random.keyArray(key).data]);
    const stacked = use.runtime.toDevice(hostArray('int32', [2, 3, 2], words));
    const all = (key: tf.Tensor) => ({
      bits: random.bits(key, [4]),
      normal: random.normal(key, [3, 2]),
      split: random.splitStacked(key, 3),
      fold: random.foldIn(key, 77),
      integers: random.randint(key, [5], -7, 9),
    });
    const together = await fetchAll(use.runtime, use.runtime.jit(all, { name: 'all' })(stacked));
    const one = use.runtime.jit(all, { name: 'one' });
    for (const [i, key] of keys.entries()) {
      for (const [name, { data, shape }] of await fetchAll(
        use.runtime,
        one(use.runtime.toDevice(random.keyArray(key))),
      )) {
        const size = sizeOf(shape);
        expect(together.get(name)?.shape).toEqual([2, 3, ...shape]);
        expect(together.get(name)?.data.slice(i * size, (i + 1) * size)).toEqual(data);
      }
    }
  });

  test('a step as data of foldIn is the same as its number', async () => {
    const key = random.key(11);
    const traced = use.runtime.jit((key: tf.Tensor, step: tf.Tensor) => random.foldIn(key, step), {
      name: 'fold',
    });
    for (const step of [0, 1, 4095, -1]) {
      const made = traced(
        use.runtime.toDevice(random.keyArray(key)),
        use.runtime.toDevice(hostArray('int32', [], [step])),
      );
      expect(await use.runtime.toHost(made)).toEqual(random.keyArray(random.foldIn(key, step)));
    }
  });

  test('truncated normal numbers stay inside, where rounding would reach the bounds', async () => {
    const f = (key: tf.Tensor) => random.truncatedNormal(key, -0.001, 0.001, [20_000]);
    const made = await use.runtime.toHost(
      use.runtime.jit(f, { name: 'f' })(use.runtime.toDevice(random.keyArray(random.key(1)))),
    );
    const bound = Math.fround(0.001);
    expect(made.data.every((x) => Math.abs(x) < bound)).toBe(true);
  });
});

describe('host', () => {
  test.each(foldersOf('random_integers'))('keys, bits and permutations of %s', async (folder) => {
    const golden = await readCase(folder);
    const { outputs } = golden;
    const key = keyOf(golden);
    const words = (keys: readonly Key[]) => keys.flatMap((key) => [...random.keyArray(key).data]);
    const dataOf = (name: string) => [...(outputs.get(name) as HostArray).data];
    expect(words([key])).toEqual(dataOf('key'));
    expect(words(random.split(key))).toEqual(dataOf('split2'));
    expect(words(random.split(key, 5))).toEqual(dataOf('split5'));
    const folds = [...outputs.keys()].filter((name) => name.startsWith('fold_in/'));
    expect(folds).toHaveLength(5);
    for (const name of folds) {
      expect(words([random.foldIn(key, Number(name.split('/')[1]))])).toEqual(dataOf(name));
    }
    for (const [name, { shape }] of outputs) {
      if (name.startsWith('bits/')) expect([...random.hostBits(key, sizeOf(shape))]).toEqual(dataOf(name));
    }
    expect([...random.permutation(key, 10)]).toEqual(dataOf('permutation/10'));
    expect([...random.permutation(key, 3000)].slice(0, 64)).toEqual(dataOf('permutation/3000'));
  });

  test.each(foldersOf('random_floats'))('numbers of %s', async (folder) => {
    const golden = await readCase(folder);
    const key = keyOf(golden);
    const wanted = ['uniform', 'uniform/-1..1', 'uniform/0.1..0.7', 'beta/0.2'];
    const outputs = new Map(wanted.map((name) => [name, golden.outputs.get(name) as HostArray] as const));
    const got = new Map(
      [...outputs].map(([name, { shape }]) => {
        const count = sizeOf(shape);
        if (name === 'beta/0.2') return [name, hostArray('float32', [], [random.beta(key, 0.2, 0.2)])];
        const range = name === 'uniform' ? [] : rangeOf(name.split('/')[1] as string);
        return [name, hostArray('float32', shape, random.hostUniform(key, count, ...range))];
      }),
    );
    expectCase(got, { ...golden, outputs });
  });
});

describe('properties', () => {
  const keys = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((seed) => random.key(seed));

  test('a key is two words of 32 bits, and survives its array', () => {
    fc.assert(
      fc.property(keys, fc.integer({ min: -(2 ** 31), max: 2 ** 32 - 1 }), (key, data) => {
        const made = random.foldIn(key, data);
        for (const word of made) expect(word === word >>> 0).toBe(true);
        expect([...random.keyArray(made).data].map((word) => word >>> 0)).toEqual([...made]);
        // The low 32 bits of the data count.
        expect(random.foldIn(key, data >>> 0)).toEqual(made);
      }),
    );
  });

  test('more keys of a split begin with the fewer', () => {
    fc.assert(
      fc.property(keys, fc.integer({ min: 1, max: 20 }), (key, count) => {
        expect(random.split(key, 20).slice(0, count)).toEqual(random.split(key, count));
      }),
    );
  });

  test('permutations are permutations', () => {
    fc.assert(
      fc.property(keys, fc.integer({ min: 0, max: 500 }), (key, count) => {
        expect([...random.permutation(key, count)].sort((a, b) => a - b)).toEqual([...Array(count).keys()]);
      }),
    );
  });

  test('uniform numbers are in their range', () => {
    const bounds = fc.float({ min: -1000, max: 1000, noNaN: true });
    fc.assert(
      fc.property(
        keys,
        bounds,
        fc.float({ min: Math.fround(0.01), max: 100, noNaN: true }),
        (key, low, span) => {
          const high = Math.fround(low + span);
          for (const x of random.hostUniform(key, 50, low, high)) {
            expect(x >= low && x <= high).toBe(true);
          }
        },
      ),
    );
  });

  test('a seed that is no integer is refused', () => {
    expect(() => random.key(0.5)).toThrow('integer');
    expect(() => random.key(NaN)).toThrow('integer');
  });
});
