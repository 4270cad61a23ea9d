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
  for (const name of topologyNames) {
    const { plugin, topology } = findTopology(name);
    if (plugin === 'tpu') expect(topology).toBe(name);
  }
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

test.each([
  ['h100:1', '1x1x1', 'NVIDIA H100 80GB HBM3'],
  ['h100:8', '1x1x8', 'NVIDIA H100 80GB HBM3'],
  ['a100:2x8', '1x2x8', 'NVIDIA A100-SXM4-80GB'],
])('%s: GPUs of machines', (name, topology, kind) => {
  const { plugin, options } = findTopology(name);
  expect(plugin).toBe('cuda13');
  expect(options.topology).toBe(topology);
  expect(options.target_config).toContain(`device_description_str: "${kind}"`);
});

test.each(['h100-8', 'h100:2x2x2', 'h300:8'])('%s is none, and how GPUs are named is said', (name) => {
  expect(() => findTopology(name)).toThrow(/There is no topology .*h100:2x8 for two machines/s);
});

test('without the plugin the command that installs it is said', async () => {
  await expect(XlaRuntime.create({ topology: 'v5e:2x2' })).rejects.toMatchObject({
    code: 'xla/not-installed',
    fix: 'run `bv runtime install tpu`.',
    exitCode: ExitCode.usage,
  });
});
