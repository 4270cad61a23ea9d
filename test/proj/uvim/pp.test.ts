// The ops of UViM against the original (test/golden/make_uvim_pp.py).

import pp from '../../../plugins/pp';
import { createEagerRuntime } from '../../../plugins/tfjs/runtime';
import '../../support/cpu-backend';
import type { Plugin } from '../../../core/plugin';
import uvim from '../../../proj/uvim';
import { sipHash } from '../../../proj/uvim/siphash';
import { goldenCases } from '../../support/golden';
import { expectParity } from '../../support/parity';

const cases = goldenCases(({ folder }) => folder.startsWith('uvim_pp_')).map(({ folder }) => folder);
it('has cases', () => expect(cases.length).toBe(6));

it.each(cases)('%s', async (folder) => {
  const runtime = await createEagerRuntime({ name: 'cpu', description: '', prepare: () => undefined }, {});
  await expectParity(folder, runtime, ...([pp, uvim] as unknown as Plugin[]));
});

// Appendix A of the paper.
test("SipHash of the paper's example", () => {
  const bytes = (from: number, to: number) => Uint8Array.from({ length: to - from }, (_, i) => from + i);
  const word = (from: number) => new DataView(bytes(from, from + 8).buffer).getBigUint64(0, true);
  expect(sipHash(bytes(0, 15), [word(0), word(8)])).toBe(0xa129ca6149be45e5n);
});
