import { Container } from '../../../core/container';
import { type Loss, Registry } from '../../../core/extensions';
import { registrarFor } from '../../../core/plugin';
import * as tf from '../../../core/tensor';
import losses, { bidirectionalContrastiveLoss, type ContrastiveInputs } from '../../../plugins/losses';
import { fetchAll, onRuntimes, sendAll, useEagerCpu } from '../../support/runtimes';
import { expectCase, type GoldenCase, goldenCases, readCase } from '../../support/golden';

type Named = Record<string, tf.Tensor>;
type LossInputs = Parameters<Loss>[0];

const registry = new Registry();
losses.register?.(registrarFor(losses, registry, Container.create()));
const lossOf = (name: string, options: object = {}) =>
  registry.create(Container.create(), 'loss', name, options, 'loss_options');

const logits = [
  [1, -2, 0.5],
  [0, 3, -1],
];
const labels = [
  [1, 0, 0],
  [0, 0.5, 0.5],
];
const inputs = () => ({ logits: tf.tensor(logits), labels: tf.tensor(labels) });
const valueOf = (loss: Loss) => loss(inputs()).dataSync()[0];

describe('values', () => {
  useEagerCpu();

  test.each([
    ['sigmoid_xent', {}, 2.2346315],
    ['softmax_xent', {}, 1.2852405],
    ['softmax_xent', { kl: true }, 0.93866694],
  ])('%s %j', (name, options, value) => {
    expect(valueOf(lossOf(name, options))).toBeCloseTo(value, 5);
  });

  test.each([
    [{ label_smoothing: 0.1 }, 1.168568],
    [{ normalize: false }, 3.5357046],
  ])('weighted_softmax_xent %j', (options, value) => {
    const loss = lossOf('weighted_softmax_xent', options);
    const tokens = {
      logits: tf.div(tf.reshape(tf.range(0, 12), [1, 4, 3]), 5),
      labels: tf.tensor([[0, 2, 1, 0]], [1, 4], 'int32'),
      weights: tf.tensor([[1, 1, 0, 1]]),
    };
    expect(loss(tokens).dataSync()[0]).toBeCloseTo(value, 5);
  });

  test('without reduction there is one value an example', () => {
    for (const name of ['sigmoid_xent', 'softmax_xent']) {
      const loss = lossOf(name);
      const perExample = loss(inputs(), { reduction: false });
      expect(perExample.shape).toEqual([2]);
      expect(tf.mean(perExample).dataSync()[0]).toBeCloseTo(valueOf(loss) as number, 6);
    }
  });

  test('any axis of classes', () => {
    const { logits, labels } = inputs();
    const turned = { logits: tf.transpose(logits), labels: tf.transpose(labels) };
    const along = lossOf('softmax_xent', { axis: 0, kl: true })(turned, { reduction: false });
    const expected = lossOf('softmax_xent', { kl: true })({ logits, labels }, { reduction: false });
    expect([...along.dataSync()]).toEqual([...expected.dataSync()]);
  });

  test('large logits neither overflow nor lose their gradient', () => {
    const far = tf.tensor([[500, -500, 88, -104]]);
    const wrong = tf.tensor([[0, 1, 0, 1]]);
    const loss = (x: tf.Tensor) => lossOf('sigmoid_xent')({ logits: x, labels: wrong });
    expect(loss(far).dataSync()[0]).toBeCloseTo(1192, 2);
    expect([...tf.grad(loss)(far).dataSync()]).toEqual([1, -1, 1, -1]);
  });

  test('gradients: sigmoid(x) - y, and softmax(x) sum(y) - y', () => {
    const { logits, labels } = inputs();
    const summed = (loss: Loss) => (x: tf.Tensor) =>
      tf.sum(loss({ logits: x, labels }, { reduction: false }));
    const sigmoid = tf.grad(summed(lossOf('sigmoid_xent')))(logits);
    expect(tf.max(tf.abs(tf.sub(sigmoid, tf.sub(tf.sigmoid(logits), labels)))).dataSync()[0]).toBeLessThan(
      1e-6,
    );
    const softmax = tf.grad(summed(lossOf('softmax_xent')))(logits);
    expect(tf.max(tf.abs(tf.sub(softmax, tf.sub(tf.softmax(logits), labels)))).dataSync()[0]).toBeLessThan(
      1e-6,
    );
  });
});

describe('errors', () => {
  useEagerCpu();

  test('labels that are indices', () => {
    const wrong = { logits: tf.tensor(logits), labels: tf.tensor([0, 1]) };
    expect(() => lossOf('softmax_xent')(wrong)).toThrow(
      /logits of shape \[2, 3\] and labels of shape \[2\].*\nTry: make the labels one-hot/,
    );
  });

  test('labels that are numbers of classes, as many as there are classes', () => {
    const square = { logits: tf.zeros([2, 2]), labels: tf.tensor([0, 1], [2], 'int32') };
    expect(() => lossOf('sigmoid_xent')(square)).toThrow(/Try: make the labels one-hot/);
  });

  test('an axis from the front where ranks differ', () => {
    const wrong = { logits: tf.tensor(logits), labels: tf.tensor([1, 0, 0]) };
    expect(() => lossOf('softmax_xent', { axis: 1 })(wrong)).toThrow(
      /axis 1, .*another rank.*\nTry: .*axis=-1/,
    );
  });

  test('an axis that isn’t there, and options that are not an option', () => {
    expect(() => lossOf('softmax_xent', { axis: 2 })(inputs())).toThrow(/axis 2/);
    expect(() => lossOf('softmax_xent', { KL: true })).toThrow(/loss_options.KL.*kl/);
  });
});

describe('golden', () => {
  onRuntimes((use) => {
    const foldersOf = (...names: string[]) =>
      goldenCases(({ kind, name }) => kind === 'loss' && names.includes(name)).map(({ folder }) => folder);
    /** Fetches what `f` makes of the case's inputs, compiled where the runtime compiles. */
    const outputsOf = async ({ folder, inputs }: GoldenCase, f: (inputs: Named) => Named) => {
      const sent = sendAll(use.runtime, Object.fromEntries(inputs)) as Named;
      return fetchAll(use.runtime, use.runtime.jit(f, { name: folder })(sent));
    };

    test.each(foldersOf('sigmoid_xent', 'softmax_xent', 'weighted_softmax_xent'))('%s', async (folder) => {
      const golden = await readCase(folder);
      const { reduction, ...options } = golden.args as { reduction?: boolean };
      const loss = lossOf(golden.name, options);
      const got = await outputsOf(golden, (inputs) => {
        const f = (x: tf.Tensor) => loss({ ...(inputs as LossInputs), logits: x }, { reduction });
        const { logits } = inputs as LossInputs;
        return { output: f(logits), 'grad/logits': tf.grad((x) => tf.sum(f(x)))(logits) };
      });
      expectCase(got, golden);
    });

    test.each(foldersOf('bidirectional_contrastive_loss'))('%s', async (folder) => {
      const golden = await readCase(folder);
      const reduction = golden.args.reduction as boolean;
      const got = await outputsOf(golden, (inputs) => {
        const { zimg, ztxt, t, mask } = inputs as unknown as ContrastiveInputs;
        const f = (zimg: tf.Tensor, ztxt: tf.Tensor, t: tf.Tensor) =>
          bidirectionalContrastiveLoss({ zimg, ztxt, t, mask }, { reduction });
        const { grads } = tf.valueAndGrads((...z) => tf.sum(f(...(z as Parameters<typeof f>)).loss))([
          zimg,
          ztxt,
          t,
        ]);
        const [gradImage, gradText, gradT] = grads as Parameters<typeof f>;
        return { ...f(zimg, ztxt, t), 'grad/zimg': gradImage, 'grad/ztxt': gradText, 'grad/t': gradT };
      });
      for (const { data } of got.values()) expect(data.every(Number.isFinite)).toBe(true);
      expectCase(got, golden);
    });
  });
});
