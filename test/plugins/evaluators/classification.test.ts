import '../../support/cpu-backend';
import { type HostArray, hostArray } from '../../../core/array';
import type { UserError } from '../../../core/errors';
import type { Evaluator, Model, Params, PredictFn } from '../../../core/extensions';
import { Scope } from '../../../core/layers/scope';
import type { Plugin } from '../../../core/plugin';
import type { Runtime } from '../../../core/runtime';
import { tokens } from '../../../core/train/run';
import { mapTree, type Tree } from '../../../core/tree';
import evaluators from '../../../plugins/evaluators';
import input from '../../../plugins/input';
import losses from '../../../plugins/losses';
import pp from '../../../plugins/pp';
import { createEagerRuntime } from '../../../plugins/tfjs/runtime';
import vit from '../../../plugins/vit';
import { XlaRuntime } from '../../../plugins/xla';
import { arraysUnder, expectCase, goldenCases, readCase } from '../../support/golden';
import { register } from '../../support/pp';
import { recorded } from '../../support/recorded';

interface Setup {
  readonly runtime: Runtime;
  readonly arrays: ReadonlyMap<string, HostArray>;
  readonly predict?: PredictFn;
  readonly batch_size?: number;
  readonly options?: Readonly<Record<string, unknown>>;
}

const identity: PredictFn = (_, batch) => ({ output: batch.logits!, out: {} });

async function make({
  runtime,
  arrays,
  predict = identity,
  batch_size = 8,
  options,
}: Setup): Promise<Evaluator> {
  const plugins = [
    losses,
    pp,
    input,
    evaluators,
    vit,
    recorded({ test: Object.fromEntries(arrays) }),
  ] as unknown as Plugin[];
  const { registry, container } = register(...plugins);
  container.provide(tokens.registry, registry);
  container.provide(tokens.runtime, runtime);
  const all = { data: { name: 'recorded' }, loss_name: 'softmax_xent', ...options };
  const create = registry.create(container, 'evaluator', 'classification', all, 'evals.val');
  return create({ name: 'val', predict, predictFns: { predict }, batch_size });
}

async function metricsOf(evaluator: Evaluator, params: Params = {}): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  for await (const [name, value] of evaluator.run(params, 1)) found.set(name, value);
  return found;
}

const scalars = (metrics: ReadonlyMap<string, number>) =>
  new Map([...metrics].map(([name, value]) => [name, hostArray('float32', [], [value])]));

const labelsOf = (rows: readonly (readonly number[])[]) => hostArray('float32', [rows.length, rows[0]!.length], rows.flat()); // prettier-ignore

describe.each([
  ['cpu', () => createEagerRuntime({ name: 'cpu', description: '', prepare: () => undefined }, {})], // prettier-ignore
  ['xla', () => XlaRuntime.create({ platform: 'cpu' })],
  ['xla on 4 devices', () => XlaRuntime.create({ platform: 'cpu', devices: 4 })],
] as [string, () => Promise<Runtime>][])('classification, %s', (_, start) => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await start();
  });
  afterAll(() => runtime.dispose());

  const infos = goldenCases(({ kind, name }) => kind === 'evaluator' && name === 'classification');
  it('has cases', () => expect(infos.length).toBeGreaterThanOrEqual(8));

  it.each(infos.map(({ folder }) => folder))('%s', async (folder) => {
    const golden = await readCase(folder);
    const { args, inputs, outputs } = golden;
    const arrays = new Map([...inputs].filter(([name]) => !name.startsWith('params/')));
    let predict = identity;
    let params: Params = {};
    if (args.model) {
      const { registry, container } = register(vit as unknown as Plugin);
      const model: Model = registry.create(
        container,
        'model',
        args.model as string,
        args.model_args,
        'model',
      );
      predict = (given, batch) => model.apply(Scope.reading(given), batch, { train: false });
      params = mapTree(arraysUnder(inputs, 'params') as Tree<HostArray>, (array: HostArray) => runtime.toDevice(array)); // prettier-ignore
    }
    const options = { loss_name: args.loss_name };
    const evaluator = await make({
      runtime,
      arrays,
      predict,
      batch_size: args.batch_size as number,
      options,
    });
    const metrics = scalars(await metricsOf(evaluator, params));
    const wanted = new Map([...outputs].filter(([name]) => !name.startsWith('batch/')));
    expectCase(metrics, { ...golden, outputs: wanted });
  });

  it('gives the same again, and for any batch size', async () => {
    const { inputs: arrays } = await readCase('eval_cls_full');
    const evaluator = await make({ runtime, arrays });
    const first = await metricsOf(evaluator);
    expect(await metricsOf(evaluator)).toEqual(first);
    // 24 examples: the last batch of 20 has 16 of padding.
    for (const batch_size of [4, 20, 24, 32]) {
      const metrics = await metricsOf(await make({ runtime, arrays, batch_size }));
      expect(metrics.get('prec@1')).toBe(first.get('prec@1'));
      expect(metrics.get('loss')).toBeCloseTo(first.get('loss')!, 5);
    }
  });

  it('counts neither padding nor examples without labels', async () => {
    const logits = labelsOf([[9, 0], [0, 9], [9, 0], [9, 0], [0, 9]]); // prettier-ignore
    // Right, wrong, no label, right, and two labels of which any counts.
    const labels = labelsOf([[1, 0], [1, 0], [0, 0], [1, 0], [1, 1]]); // prettier-ignore
    const metrics = await metricsOf(await make({ runtime, arrays: new Map([['logits', logits], ['labels', labels]]), batch_size: 4 })); // prettier-ignore
    expect(metrics.get('prec@1')).toBeCloseTo(3 / 4, 6);
    const [right, wrong] = [Math.log1p(Math.exp(-9)), 9 + Math.log1p(Math.exp(-9))];
    expect(metrics.get('loss')).toBeCloseTo((right + wrong + right + right + wrong) / 4, 4);
  });
});

describe('classification, errors', () => {
  let runtime: Runtime;
  beforeAll(async () => {
    runtime = await XlaRuntime.create({ platform: 'cpu', devices: 4 });
  });
  afterAll(() => runtime.dispose());

  const arrays = new Map<string, HostArray>([
    ['logits', labelsOf([[1, 0]])],
    ['label', hostArray('int32', [1], [1])],
  ]);
  const failure = (options: Readonly<Record<string, unknown>>, batch_size = 4): Promise<UserError> =>
    make({ runtime, arrays, options, batch_size }).then(
      () => {
        throw new Error('no failure');
      },
      (error: unknown) => error as UserError,
    );

  it('name the config key and what would be right', async () => {
    expect((await failure({})).what).toContain('evals.val finds no "labels" in its batches, which have label, logits. Did you mean "label"?'); // prettier-ignore
    expect((await failure({ label_key: 'label' })).fix).toContain(
      "add onehot(CLASSES, key='label') to evals.val.pp_fn",
    );
    expect((await failure({ loss_name: 'softmax_xnt' })).message).toContain('Did you mean "softmax_xent"?');
    expect((await failure({ pp_fn: 'onehott(2)' })).message).toContain('in evals.val.pp_fn, column 1');
    expect((await failure({}, 6)).what).toBe(
      "evals.val.batch_size is 6, which doesn't divide over 4 devices.",
    );
  });
});
