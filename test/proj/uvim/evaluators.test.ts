// Metrics of dense tasks against the original and panopticapi (test/golden/make_uvim_eval.py).

import '@tensorflow/tfjs-backend-cpu';
import type { Plugin } from '../../../core/plugin';
import type { Runtime } from '../../../core/runtime';
import evaluators from '../../../plugins/evaluators';
import input from '../../../plugins/input';
import pp from '../../../plugins/pp';
import { createEagerRuntime } from '../../../plugins/tfjs/runtime';
import uvim from '../../../proj/uvim';
import { goldenCases } from '../../support/golden';
import { expectParity } from '../../support/parity';

const plugins = [input, pp, evaluators, uvim] as unknown as Plugin[];

let runtime: Runtime;
beforeAll(async () => {
  runtime = await createEagerRuntime({ name: 'cpu', description: '', prepare: () => undefined }, {});
});

const cases = goldenCases(({ folder }) => folder.startsWith('uvim_eval_')).map(({ folder }) => folder);
it('has cases', () => expect(cases.length).toBe(8));
it.each(cases)('%s', (folder) => expectParity(folder, runtime, ...plugins));
