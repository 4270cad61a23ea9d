// Models, tasks and the drawing of sequences against recordings of the original.

import evaluators from '../../../plugins/evaluators';
import input from '../../../plugins/input';
import pp from '../../../plugins/pp';
import vit from '../../../plugins/vit';
import { XlaRuntime } from '../../../plugins/xla';
import uvim from '../../../proj/uvim';
import type { Plugin } from '../../../core/plugin';
import { goldenCases } from '../../support/golden';
import { expectParity } from '../../support/parity';

const plugins = [input, pp, evaluators, vit, uvim] as unknown as Plugin[];
let runtime: XlaRuntime;
beforeAll(async () => {
  runtime = await XlaRuntime.create({ platform: 'cpu' });
});
afterAll(() => runtime.dispose());

const names = /^proj\/uvim\/(vit|vtt|task|decode:temperature_sampling)$/;
test.each(goldenCases(({ name }) => names.test(name)).map(({ folder }) => folder))('%s', (folder) =>
  expectParity(folder, runtime, ...plugins),
);
