// Runs recorded cases of GIVT.

import type { Params } from '../../core/extensions';
import { Scope } from '../../core/layers/scope';
import { parseOptions } from '../../core/options';
import type { ParityRunner } from '../../core/parity/case';
import { arraysBeside, caseParams, fetchAll, modelRunner, sendAll } from '../../core/parity';
import * as tf from '../../core/tensor';
import { adaptor, adaptorOptions } from './adaptor';
import { type ArGeneration, generate } from './decode_ar';
import { generateMasked, type MaskedGeneration } from './decode_masked';
import { type Givt, givt } from './givt';
import { givtOptions } from './options';

type Parts = Readonly<Record<string, tf.Tensor>>;

type Draw = (
  model: Givt,
  scope: Scope,
  key: tf.Tensor,
  inputs: Parts,
  settings: unknown,
) => Readonly<Record<string, tf.Tensor>>;

/** Sequences drawn with each of the settings in `args.draws`, by name. */
const drawing =
  (draw: Draw): ParityRunner =>
  async (recorded, services) => {
    const { runtime } = services;
    const { args } = recorded;
    const model = givt(parseOptions(givtOptions, args.model, 'args.model'));
    const inputs = sendAll(runtime, Object.fromEntries(arraysBeside(recorded.inputs, 'params'))) as Parts;
    const params = caseParams(recorded, services);
    const drawn = new Map();
    const draws = Object.entries(args.draws as Record<string, { readonly seed: number }>);
    for (const [name, { seed, ...settings }] of draws) {
      const run = (params: Params, key: tf.Tensor, inputs: Parts) =>
        draw(model, Scope.reading(params), key, inputs, settings);
      const key = runtime.toDevice(tf.random.keyArray(tf.random.key(seed)));
      const result = runtime.jit(run, { name: `draw ${name}` })(params, key, inputs);
      for (const [part, array] of await fetchAll(runtime, result)) drawn.set(`${name}/${part}`, array);
    }
    return drawn;
  };

export const givtRunners: Readonly<Record<string, ParityRunner>> = {
  'model proj/givt/givt': modelRunner({
    losses: {
      nll: ({ out }) => tf.neg(tf.mean((out as Parts).log_prob as tf.Tensor)),
    },
  }),

  'model proj/givt/adaptor': async (recorded, services) => {
    const { runtime } = services;
    const { forward, inverse } = adaptor(parseOptions(adaptorOptions, recorded.args, 'args'));
    const inputs = sendAll(runtime, Object.fromEntries(arraysBeside(recorded.inputs, 'params'))) as Parts;
    const run = (params: Params, { x }: Parts) => {
      const scope = Scope.reading(params);
      const there = forward(scope, x as tf.Tensor);
      return { forward: there, inverse: inverse(scope, there) };
    };
    return fetchAll(
      runtime,
      runtime.jit(run, { name: 'parity adaptor' })(caseParams(recorded, services), inputs),
    );
  },

  'model proj/givt/decode:generate': drawing((model, scope, key, { labels, image }, settings) => ({
    ...generate(
      model,
      scope,
      key,
      {
        labels,
        encoded: image && model.encode(scope, image),
        batch: (image ?? labels)?.shape[0] as number,
      },
      settings as ArGeneration,
    ),
  })),

  'model proj/givt/parallel_decode:decode_masked': drawing((model, scope, key, { labels }, settings) => ({
    tokens: generateMasked(model, scope, key, labels as tf.Tensor, settings as MaskedGeneration),
  })),
};
