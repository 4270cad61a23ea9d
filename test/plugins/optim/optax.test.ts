// All transforms and aliases of optax: their options, and their states.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { Container } from '../../../core/container';
import { type Params, Registry } from '../../../core/extensions';
import { parseOptions } from '../../../core/options';
import { registrarFor } from '../../../core/plugin';
import * as tf from '../../../core/tensor';
import { leaves, mapTree, namedLeaves, nest } from '../../../core/tree';
import optim from '../../../plugins/optim';
import { expectExactResumption, shortRun } from '../../support/resumption';
import { trainToEnd } from '../../support/runs';
import { useEagerCpu } from '../../support/runtimes';
import { temporaryFolder } from '../../support/temporary';

const container = Container.create();
const registry = new Registry();
optim.register?.(registrarFor(optim, registry, container));

/** From the signatures of optax: defaults, or "required". */
const recorded = JSON.parse(
  fs.readFileSync(path.join(__dirname, '../../golden/optax_options.json'), 'utf8'),
) as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
const names = Object.keys(recorded);

/** A value for each option that has to be given. A learning rate of None, adadelta's default, fails in optax. */
function given(name: string): Record<string, number> {
  const required = Object.entries(recorded[name] ?? {}).filter(
    ([option, value]) => value === 'required' || (name === 'adadelta' && option === 'learning_rate'),
  );
  return Object.fromEntries(required.map(([option]) => [option, 0.5]));
}

const isMask = (option: string) => option.endsWith('_mask');

test('every optimizer is one of optax or of the original, with the same options and defaults', () => {
  expect(registry.list('optimizer').map(({ name }) => name)).toEqual([...names].sort());
  for (const name of names) {
    const { options } = registry.find('optimizer', name).implementation;
    const parsed = parseOptions(options, given(name), '') as Record<string, unknown>;
    const ours = Object.keys(options.shape).filter((option) => !isMask(option));
    const defaults = Object.fromEntries(ours.map((option) => [option, parsed[option] ?? null]));
    expect({ name, ...defaults }).toEqual({ name, ...recorded[name], ...given(name) });
  }
});

describe('state', () => {
  useEagerCpu();

  const params = () =>
    nest<tf.Tensor>([
      ['head/bias', tf.tensor([2, 3])],
      ['head/kernel', tf.ones([2, 3, 4])],
      ['temperature', tf.scalar(3)],
    ]);
  const specs = (state: Params) =>
    namedLeaves<tf.Tensor>(state).map(([name, { shape, dtype }]) => [name, shape, dtype]);

  test.each(names)('of %s keeps its tree, shapes and types', (name) => {
    const transform = registry.create(container, 'optimizer', name, given(name), 'optax');
    const before = transform.init(params());
    const grads = mapTree<tf.Tensor, tf.Tensor, Params>(params(), (x) => tf.onesLike(x));
    const { updates, state } = transform.update(grads, before, params());
    expect(specs(state)).toEqual(specs(before));
    expect(specs(updates)).toEqual(specs(params()));
    for (const update of leaves<tf.Tensor>(updates))
      expect(update.dataSync().every(Number.isFinite)).toBe(true);
  });

  const namesOf = (name: string, options: object) =>
    specs(registry.create(container, 'optimizer', name, options, 'optax').init(params())).map(
      ([leaf, shape]) => `${leaf as string} ${JSON.stringify(shape)}`,
    );

  test('of a chain is that of its transforms together', () => {
    expect(namesOf('rmsprop', { learning_rate: -1, momentum: 0.9, bias_correction: true })).toEqual([
      'count []',
      ...['nu', 'trace'].flatMap((part) => [
        `${part}/head/bias [2]`,
        `${part}/head/kernel [2,3,4]`,
        `${part}/temperature []`,
      ]),
    ]);
  });

  test('of SM3 grows with the sides of an array, and that of NovoGrad not at all', () => {
    expect(namesOf('scale_by_sm3', {}).filter((leaf) => leaf.startsWith('mu'))).toEqual([
      'mu_0/head/bias [2]',
      'mu_0/head/kernel [2,1,1]',
      'mu_0/temperature []',
      'mu_1/head/kernel [1,3,1]',
      'mu_2/head/kernel [1,1,4]',
    ]);
    expect(namesOf('scale_by_novograd', {}).filter((leaf) => leaf.startsWith('nu'))).toEqual([
      'nu/head/bias []',
      'nu/head/kernel []',
      'nu/temperature []',
    ]);
  });
});

test('a killed run with moments of one number for an array goes on with the same bits', async () => {
  const args = shortRun({ optax_name: 'novograd', optax: '{"learning_rate": -1}', schedule: '{}' });
  const [config, whole] = ['test/fixtures/configs/tiny_mnist.ts', temporaryFolder()];
  expect(await trainToEnd(config, whole, ...args)).toMatchObject({ code: 0 });
  await expectExactResumption(config, args, whole);
});
