// Names of hardware to compile for, and what is said where it can't be compiled for.

import { ExitCode } from '../../../core/errors';
import type * as installer from '../../../plugins/xla/install';
import { XlaRuntime } from '../../../plugins/xla';
import { findTopology, topologyNames } from '../../../plugins/xla/topologies';

jest.mock('../../../plugins/xla/install', () => ({
  ...jest.requireActual<typeof installer>('../../../plugins/xla/install'),
  installed: () => undefined,
}));

test.each([
  ['v5e:16x16', 'v5e:16x16'],
  ['v5e-256', 'v5e:16x16'],
  ['v4-512', 'v4:4x8x8'],
  ['v5p-8', 'v5p:2x2x1'],
  ['v5e:16x32', 'v5e:16x32'],
])('%s is %s', (name, topology) => expect(findTopology(name)).toMatchObject({ plugin: 'tpu', topology }));

test('every name that is suggested is one', () => {
  for (const name of topologyNames) expect(findTopology(name).topology).toBe(name);
});

test.each([
  ['v5e:16x61', undefined],
  ['v5f:16x16', 'v5e:16x16'],
  ['v4:4x4', 'v4:2x4x4'],
  ['v5e-255', undefined],
  ['v5', undefined],
])('%s: the nearest name, or what names look like', (name, near) => {
  const find = () => findTopology(name);
  if (name === 'v5e:16x61') return expect(find().topology).toBe(name); // The compiler refuses it.
  expect(find).toThrow(/There is no topology/);
  expect(find).toThrow(/v5e:16x16/);
  if (near) expect(find).toThrow(`Did you mean "${near}"?`);
});

test.each(['h100:8', 'a100:16'])('%s: GPUs have to be there', (name) => {
  expect(() => findTopology(name)).toThrow(/can't be compiled for yet/);
});

test('without the plugin the command that installs it is said', async () => {
  await expect(XlaRuntime.create({ topology: 'v5e:2x2' })).rejects.toMatchObject({
    code: 'xla/not-installed',
    fix: 'run `bv runtime install tpu`.',
    exitCode: ExitCode.usage,
  });
});
