import { resolveConfig } from '../../../core/config/resolve';
import type { OpenedInput } from '../../../core/train/run';
import { tokens } from '../../../core/train/run';
import { Mixture } from '../../../plugins/input/mixture';
import { digests, expectSeekable } from '../../support/seekable';
import { workspaceWith } from '../../support/workspace';

describe('dealing positions to sources', () => {
  const deal = (shares: readonly number[], count: number, seed = 0) => {
    const mixture = new Mixture(shares, seed);
    return Array.from({ length: count }, (_, position) => mixture.at(position));
  };

  it.each([[[1]], [[3, 1]], [[0.2, 0.5, 0.3]], [[1, 1e-4, 1e-4, 5]], [[1e-9, 1]]])(
    'shares %j: nothing is left out or comes twice, and blocks have their shares',
    (shares) => {
      const total = shares.reduce((a, b) => a + b);
      for (const blocks of [1, 2, 7]) {
        const dealt = deal(shares, blocks * 1024);
        shares.forEach((share, source) => {
          const own = dealt.filter((d) => d.source === source).map(({ position }) => position);
          expect(own.sort((a, b) => a - b)).toEqual(own.map((_, i) => i));
          expect(Math.abs(own.length - (share / total) * dealt.length)).toBeLessThanOrEqual(1);
        });
      }
    },
  );

  it('spreads the sources, another way in each block and for each seed', () => {
    const sources = (seed: number) => deal([1, 3], 2048, seed).map(({ source }) => source);
    const [first, other] = [sources(0), sources(1)];
    expect(first).not.toEqual(other);
    expect(first.slice(0, 1024)).not.toEqual(first.slice(1024));
    for (let start = 0; start < 1024; start += 128) {
      const ofSecond = first.slice(start, start + 128).filter((source) => source === 1).length;
      expect(ofSecond).toBeGreaterThan(75);
      expect(ofSecond).toBeLessThan(117);
    }
  });

  it('finds a far position at once', () => {
    const far = new Mixture([0.3, 0.7], 0).at(1e12);
    expect(Math.abs(far.position / 1e12 - [0.3, 0.7][far.source]!)).toBeLessThan(1e-6);
  });
});

describe('in a run', () => {
  const session = workspaceWith(`
    register('data', 'numbers', {
      doc: '', options: z.strictObject({ from: z.int(), size: z.int() }),
      create: ({ from, size }) => ({ size, get: (i) => ({ x: hostArray('int32', [1], [from + i]), label: 1 }) }),
    });
    register('pp', 'noise', {
      doc: '', options: z.strictObject({}),
      create: () => (example, rng) => ({ ...example, noise: hostArray('float32', [], [rng.uniform()]) }),
    });
  `);
  const opened: OpenedInput[] = [];
  afterEach(() => Promise.all(opened.splice(0).map((input) => input.close())));

  const small = { data: { name: 'numbers', from: 0, size: 10 }, pp: 'noise|keep("x", "noise")' };
  const large = { data: { name: 'numbers', from: 100, size: 50 }, pp: 'noise|keep("x", "noise")' };
  const mixed = { data: { small: 1, large: 3, off: 0 }, small, large, off: small };

  const train = async (changes: object = {}) => {
    const input = { ...mixed, pp: '', batch_size: 8, prefetch: 2, shuffle: true, ...changes };
    opened.push(await session.container.get(tokens.input).train(input as never, 0));
    return opened.at(-1) as OpenedInput;
  };

  it('mixes sources by their shares, and is the same from anywhere', async () => {
    const input = await train();
    // Those of both sources: the third has no share.
    expect(input.examples).toBe(60);
    await expectSeekable(input, 12);
    const stream = input.batches(0);
    const found: number[] = [];
    for (let i = 0; i < 128; i++) found.push(...((await stream.next())?.x?.data ?? []));
    await stream.close();
    expect(found.filter((x) => x < 100)).toHaveLength(256);
    const counts = [...new Set(found)].map((x) => found.filter((y) => y === x).length);
    // Every example comes as often as its source's other ones, but for the last epoch.
    expect([new Set(found).size, Math.min(...counts), Math.max(...counts)]).toEqual([60, 15, 26]);
  });

  it('worker threads make the same', async () => {
    const alone = await digests((await train({ workers: 0 })).batches(0), 4);
    expect(await digests((await train({ workers: 2 })).batches(0), 4)).toEqual(alone);
  });

  it('mixes a source with itself in two orders', async () => {
    const input = await train({ data: { a: 1, b: 1 }, a: large, b: large, batch_size: 1024 });
    const batch = await input.batches(0).next();
    const values = [...(batch?.noise?.data ?? [])];
    expect(new Set(values).size).toBe(1024);
  });

  it('says which source differs from the first', async () => {
    const other = { ...large, pp: 'keep("x", "label")' };
    const stream = (await train({ large: other })).batches(0);
    await expect(stream.next()).rejects.toThrow(
      /has the features .*label.*keep\('noise', 'x'\)|has the features.*noise/,
    );
  });

  const resolve = (input: object) =>
    resolveConfig({ input, total_steps: 1, model_name: 'vit', optax_name: 'identity', lr: 0 }, [], {
      registry: session.registry,
      plugins: session.plugins.map(({ plugin }) => plugin),
    });

  it('a config names its sources', () => {
    expect(() => resolve({ ...mixed, batch_size: 8 })).not.toThrow();
    expect(() => resolve({ ...mixed, batch_size: 8, prefech: 3 })).toThrow(
      /"input.prefech".*Did you mean "prefetch"/,
    );
    expect(() => resolve({ data: { small: 1, large: 3 }, small, batch_size: 8 })).toThrow(
      /"input.large" is missing/,
    );
    const wrong = (change: object) => resolve({ ...mixed, small: { ...small, ...change }, batch_size: 8 });
    expect(() => wrong({ ppp: '' })).toThrow(/"input.small.ppp".*Did you mean "pp"/);
    expect(() => wrong({ data: { name: 'nmbers' } })).toThrow(
      /input.small.data.name.*Did you mean "numbers"/,
    );
    expect(() => wrong({ pp: 'nois' })).toThrow(/input.small.pp.*Did you mean "noise"/s);
  });
});
