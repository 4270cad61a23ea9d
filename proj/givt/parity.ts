// Runs recorded cases of GIVT.

import type { Params } from '../../core/extensions';
import { Scope } from '../../core/layers/scope';
import { parseOptions } from '../../core/options';
import type { ParityRunner } from '../../core/parity/case';
import { arraysBeside, caseParams, fetchAll, sendAll } from '../../core/parity';
import type * as tf from '../../core/tensor';
import { adaptor, adaptorOptions } from './adaptor';

type Parts = Readonly<Record<string, tf.Tensor>>;

export const givtRunners: Readonly<Record<string, ParityRunner>> = {
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
};
