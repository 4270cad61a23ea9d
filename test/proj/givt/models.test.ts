// VAEs, the adaptor, the transformer and what is drawn from it, against recordings of the original.

import type { Plugin } from '../../../core/plugin';
import { XlaRuntime } from '../../../plugins/xla';
import givt from '../../../proj/givt';
import { goldenCases } from '../../support/golden';
import { expectParity } from '../../support/parity';

let runtime: XlaRuntime;
beforeAll(async () => {
  runtime = await XlaRuntime.create({ platform: 'cpu' });
});
afterAll(() => runtime.dispose());

test.each(goldenCases(({ name }) => name.startsWith('proj/givt/')).map(({ folder }) => folder))(
  '%s',
  (folder) => expectParity(folder, runtime, givt as unknown as Plugin),
);
