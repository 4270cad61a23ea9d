import { sizeOf } from '../../../core/array';
import type { Rows } from '../../../core/blocks';
import type { UserError } from '../../../core/errors';
import { type HostBatch, type InputPipeline, type OpenedInput, tokens } from '../../../core/train/run';
import { digests, expectSeekable } from '../../support/seekable';
import { workspaceWith } from '../../support/workspace';

/** A source of numbers, and ops that draw, wait, fail and crash. */
const plugin = `
  register('data', 'numbers', {
    doc: '', options: z.strictObject({ size: z.int(), bad: z.int().default(-1) }),
    create: ({ size, bad }) => ({
      size,
      get: (index) => {
        if (index === bad) throw new Error('the disk is on fire');
        return { x: hostArray('int32', [2], [index, -index]), label: 3, filename: 'file-' + index, _id: index };
      },
    }),
  });
  register('pp', 'noise', {
    doc: '', options: z.strictObject({}),
    create: () => (example, rng) => ({ ...example, noise: hostArray('float32', [], [rng.uniform() + rng.integer(0, 9)]) }),
  });
  register('pp', 'wait', {
    doc: '', options: z.strictObject({}),
    // The first ones take longest, so that examples end in another order than they begin.
    create: () => (example) => new Promise((done) => setTimeout(done, (example.x.data[0] * 7) % 5, example)),
  });
  register('pp', 'ragged', {
    doc: '', options: z.strictObject({ at: z.int() }), positional: ['at'],
    create: ({ at }) => (example) =>
      example.x.data[0] === at ? { ...example, x: hostArray('int32', [3], [1, 2, 3]) } : example,
  });
  register('pp', 'extra', {
    doc: '', options: z.strictObject({ at: z.int() }), positional: ['at'],
    create: ({ at }) => (example) => (example.x.data[0] === at ? { ...example, more: 1 } : example),
  });
  register('pp', 'crash', {
    doc: '', options: z.strictObject({ at: z.int() }), positional: ['at'],
    create: ({ at }) => (example) => {
      if (example.x.data[0] === at && !isMainThread) process.exit(7);
      return example;
    },
  });
`;

let pipeline: InputPipeline;
const opened: OpenedInput[] = [];
beforeAll(() => {
  pipeline = workspaceWith(plugin).container.get(tokens.input);
});
afterEach(() => Promise.all(opened.splice(0).map((input) => input.close())));

interface Choice {
  readonly size?: number;
  readonly bad?: number;
  readonly pp?: string;
  readonly batch_size?: number;
  readonly workers?: number;
  readonly prefetch?: number;
  readonly shuffle?: boolean;
  readonly seed?: number;
  readonly rows?: Rows;
}

async function train(choice: Choice = {}): Promise<OpenedInput> {
  const {
    size = 10,
    bad,
    pp = "keep('x')",
    batch_size = 4,
    workers,
    prefetch = 2,
    shuffle = true,
    seed = 0,
  } = choice;
  const data = { name: 'numbers', size, ...(bad !== undefined && { bad }) };
  const input = await pipeline.train({ data, pp, batch_size, workers, prefetch, shuffle }, seed);
  opened.push(input);
  return input;
}

async function evaluate(choice: Choice = {}): Promise<OpenedInput> {
  const { size = 10, pp = "keep('x')", batch_size = 4, workers, rows } = choice;
  const input = await pipeline.evaluate({ data: { name: 'numbers', size }, pp, batch_size, workers, rows });
  opened.push(input);
  return input;
}

async function take(input: OpenedInput, count: number, position = 0): Promise<HostBatch[]> {
  const stream = input.batches(position);
  const found: HostBatch[] = [];
  for (let i = 0; i < count; i++) {
    const batch = await stream.next();
    if (batch) found.push(batch);
  }
  await stream.close();
  return found;
}

/** The indices of a batch's examples. */
const indices = (batch: HostBatch) => [...batch.x!.data].filter((_, i) => i % 2 === 0);

async function failure(work: Promise<unknown>): Promise<UserError> {
  return work.then(
    () => {
      throw new Error('no failure');
    },
    (error: unknown) => error as UserError,
  );
}

describe('training batches', () => {
  it('run over the borders of epochs, and each epoch has every example once', async () => {
    const batches = await take(await train(), 10);
    const order = batches.flatMap(indices);
    expect(order).toHaveLength(40);
    for (let epoch = 0; epoch < 4; epoch++) {
      expect(order.slice(10 * epoch, 10 * epoch + 10).sort((a, b) => a - b)).toEqual([...Array(10).keys()]);
    }
    expect(order.slice(0, 10)).not.toEqual(order.slice(10, 20));
  });

  it('may be larger than the data', async () => {
    const [batch] = await take(await train({ size: 3, batch_size: 8 }), 1);
    expect(indices(batch!).slice(0, 6).sort()).toEqual([0, 0, 1, 1, 2, 2]);
  });

  it('tell their shapes, types and sizes before the first', async () => {
    const input = await train({ pp: "noise|keep('x', 'label', 'noise')" });
    expect(input.examples).toBe(10);
    expect(Object.entries(input.spec).map(([name, { dtype, shape }]) => [name, dtype, shape])).toEqual([
      ['label', 'int32', [4]],
      ['noise', 'float32', [4]],
      ['x', 'int32', [4, 2]],
    ]);
    const [batch] = await take(input, 1);
    for (const [name, array] of Object.entries(batch!)) {
      expect(array.shape).toEqual(input.spec[name]!.shape);
      expect(array.data.length).toBe(sizeOf(array.shape));
    }
  });

  it('differ by seed, and not otherwise', async () => {
    const pp = "noise|keep('x', 'noise')";
    const of = async (choice: Choice) => digests((await train({ pp, ...choice })).batches(0), 5);
    expect(await of({ seed: 1 })).toEqual(await of({ seed: 1 }));
    expect(await of({ seed: 1 })).not.toEqual(await of({ seed: 2 }));
  });

  it('keep the order of the data without shuffling', async () => {
    const [a, b, c] = await take(await train({ shuffle: false }), 3);
    expect([a, b, c].map((batch) => indices(batch!))).toEqual([[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 0, 1]]); // prettier-ignore
  });

  it('draw new numbers for an example in each epoch', async () => {
    const input = await train({ size: 4, pp: "noise|keep('x', 'noise')", shuffle: false });
    const [first, second] = await take(input, 2);
    expect([...first!.noise!.data]).not.toEqual([...second!.noise!.data]);
  });

  it('can be entered far away', async () => {
    const far = await take(await train(), 1, 1e12);
    expect(indices(far[0]!)).toHaveLength(4);
  });

  it('keep what was not given back, and reuse what was', async () => {
    const stream = (await train({ prefetch: 1 })).batches(0);
    const first = (await stream.next())!;
    const before = indices(first);
    const second = (await stream.next())!;
    stream.release!(second);
    const fourth = [await stream.next(), await stream.next(), await stream.next()];
    expect(indices(first)).toEqual(before);
    expect(fourth).toContain(second);
    await stream.close();
  });
});

describe('entering the stream anywhere', () => {
  // What is to be equal for every number of workers and every prefetch.
  let expected: string[];
  const pp = "wait|noise|keep('x', 'noise')";

  beforeAll(async () => {
    const input = await train({ pp, workers: 0, prefetch: 1 });
    expected = await digests(input.batches(0), 6);
  });

  it.each([
    [0, 1],
    [0, 4],
    [1, 1],
    [2, 1],
    [2, 4],
  ])('%i workers, prefetch %i', async (workers, prefetch) => {
    expect(await expectSeekable(await train({ pp, workers, prefetch }), 6)).toEqual(expected);
  });

  it.each([0, 1, 2])('evaluation with %i workers', async (workers) => {
    const input = await evaluate({ pp: "wait|keep('x')", workers });
    expect(await expectSeekable(input, 100)).toHaveLength(3);
  });
});

describe('evaluation batches', () => {
  it('are one pass in order, padded with zeros and masked', async () => {
    const input = await evaluate({ pp: "noise|keep('x', 'noise')" });
    const batches = await take(input, 10);
    expect(batches.map(indices)).toEqual([[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 0, 0]]); // prettier-ignore
    expect(batches.map((batch) => [...batch._mask!.data])).toEqual([[1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 0, 0]]); // prettier-ignore
    expect(batches.map((batch) => batch._mask!.dtype)).toEqual(['float32', 'float32', 'float32']);
    expect([...batches[2]!.noise!.data].slice(2)).toEqual([0, 0]);
    expect([...batches[2]!.x!.data].slice(4)).toEqual([0, 0, 0, 0]);
    expect(batches.map((batch) => [...batch._id!.data])).toEqual([[0, 1, 2, 3], [4, 5, 6, 7], [8, 9, 0, 0]]); // prettier-ignore
  });

  it('are clean where memory is used again', async () => {
    const input = await evaluate();
    const first = await digests(input.batches(0), 10);
    expect(await digests(input.batches(0), 10)).toEqual(first);
  });

  it('have no padding where the size divides', async () => {
    const batches = await take(await evaluate({ size: 8 }), 10);
    expect(batches).toHaveLength(2);
  });

  it('may be a single padded one', async () => {
    const [batch, ...more] = await take(await evaluate({ size: 1 }), 3);
    expect([...batch!._mask!.data]).toEqual([1, 0, 0, 0]);
    expect(more).toEqual([]);
  });

  it.each([
    [20, 8, [0, 4, 8], undefined],
    // The rows of the last process are padding, or some of them are.
    [17, 8, [0, 4, 8], undefined],
    [15, 8, [0, 4, 6, 8], undefined],
    [10, 8, [0, 2, 4, 6, 8], 2],
    [1, 4, [0, 1, 2, 3, 4], undefined],
  ])(
    '%d examples by %d, of processes with the rows %j (workers: %s)',
    async (size, batch_size, bounds, workers) => {
      const whole = await take(await evaluate({ size, batch_size }), 10);
      const parts = [];
      for (let process = 0; process < bounds.length - 1; process++) {
        const rows = { start: bounds[process]!, end: bounds[process + 1]! };
        const input = await evaluate({ size, batch_size, rows, workers });
        expect(input.spec._mask!.shape).toEqual([batch_size]);
        parts.push(await take(input, 10));
      }
      // Together they are the batches of one process, and so each example is of one of them.
      for (const batches of parts) expect(batches).toHaveLength(whole.length);
      for (const [number, batch] of whole.entries()) {
        for (const name of ['x', '_mask', '_id'])
          expect(parts.flatMap((part) => [...part[number]![name]!.data])).toEqual([...batch[name]!.data]);
      }
      const counted = parts.flatMap((part) =>
        part.flatMap(({ _id, _mask }) => [..._id!.data].filter((_, row) => _mask!.data[row] === 1)),
      );
      expect(counted.sort((a, b) => a - b)).toEqual(Array.from({ length: size }, (_, i) => i));
    },
  );
});

describe('errors', () => {
  it('of features that are no arrays', async () => {
    const error = await failure(train({ pp: '' }));
    expect(error.code).toBe('input/not-an-array');
    expect(error.what).toContain('"filename", the text "file-');
    expect(error.fix).toContain("keep('x', 'label', '_id')");
  });

  it('of an empty source, and of no features', async () => {
    expect((await failure(train({ size: 0 }))).code).toBe('input/empty');
    expect((await failure(train({ pp: 'keep()' }))).code).toBe('input/no-features');
  });

  it('of a call string, with its place', async () => {
    const error = await failure(train({ pp: 'nois' }));
    expect(error.message).toContain('Unknown pp "nois" in input.pp, column 1. Did you mean "noise"?');
    const where = { data: 'evals.test.data', pp: 'evals.test.pp_fn' };
    const other = pipeline.evaluate({ data: { name: 'numbers', size: 1 }, pp: 'nois', batch_size: 1, where });
    expect((await failure(other)).message).toContain('in evals.test.pp_fn, column 1');
  });

  it.each([0, 2])('of shapes that differ, with %i workers', async (workers) => {
    const input = await train({ pp: "ragged(6)|keep('x')", shuffle: false, workers });
    const stream = input.batches(0);
    await stream.next();
    const error = await failure(stream.next());
    expect(error.code).toBe('input/shape');
    expect(error.what).toBe('"x" is int32[3] in example 6, but int32[2] in the first one (0); a batch needs one shape and type.'); // prettier-ignore
    expect(await failure(stream.next())).toBe(error);
    await stream.close();
  });

  it('of features that differ', async () => {
    const stream = (await train({ pp: "extra(2)|drop('filename')", shuffle: false })).batches(0);
    const error = await failure(stream.next());
    expect(error.what).toContain('Example 2 has the features _id, label, more, x');
    await stream.close();
  });

  it.each([0, 1])('of an example, with %i workers', async (workers) => {
    const stream = (await train({ bad: 5, shuffle: false, workers })).batches(0);
    await stream.next();
    const error = await failure(stream.next());
    expect(error.code).toBe('input/example');
    expect(error.what).toMatch(/^Example 5 of the data source "numbers" can't be read: the disk is on fire/);
    await stream.close();
  });

  it('of a worker that dies, told once', async () => {
    const input = await train({ pp: "crash(5)|keep('x')", shuffle: false, workers: 2 });
    const stream = input.batches(0);
    await stream.next();
    const error = await failure(stream.next());
    expect(error.code).toBe('input/worker-crashed');
    expect(error.what).toContain('exited with code: 7');
    await stream.close();
    // The pool goes on for others.
    expect((await take(input, 1))[0]).toBeDefined();
  });

  it('of an op, with the name of the file', async () => {
    const error = await failure(train({ pp: "resize(3, key='x')" }));
    expect(error.what).toMatch(/^Example \d of the data source "numbers" \(file-\d\) fails in resize: resize expects "x" to be an image/); // prettier-ignore
  });
});

it('stops making batches when it is closed', async () => {
  const input = await train({ size: 1000, batch_size: 500, pp: "wait|keep('x')", prefetch: 100 });
  const stream = input.batches(0);
  const started = performance.now();
  await stream.next();
  const came = performance.now();
  await stream.close();
  // All that were asked for would take a hundred times as long as the first.
  expect(performance.now() - came).toBeLessThan(10 * (came - started));
  expect(await stream.next()).toBeUndefined();
});
