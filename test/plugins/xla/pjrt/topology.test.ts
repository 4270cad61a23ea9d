import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { installed } from '../../../../plugins/xla/install';
import { Topology } from '../../../../plugins/xla/pjrt';
import { describeWithPlugin, pluginPath } from './support';

describeWithPlugin('topologies', () => {
  test('are not for the CPU, and that is an error', () => {
    expect(() => Topology.create(pluginPath(), 'any')).toThrow(/UNIMPLEMENTED/);
  });
});

const tpu = installed('tpu');
const root = path.resolve(__dirname, '../../../..');

/** Needs `bv runtime install tpu`, but no TPU. */
(tpu ? describe : describe.skip)('a TPU slice that is not there', () => {
  // In a process of its own: the plugin reads the environment and starts threads when it is loaded.
  test('is compiled for, and the process ends well', () => {
    const script = `
      require('${root}/core/register');
      const { Topology } = require('${root}/plugins/xla/pjrt/index.ts');
      const slice = Topology.create(${JSON.stringify(tpu)}, 'v5e:4x4');
      const rows = 'sdy.sharding = #sdy.sharding<@mesh, [{"data"}, {}]>';
      const type = 'tensor<256x128xf32>';
      const program = slice.compile(\`module @add attributes {mhlo.num_partitions = 16 : i32} {
        sdy.mesh @mesh = <["data"=16]>
        func.func public @main(%a: \${type} {\${rows}}) -> (\${type} {\${rows}}) {
          %b = stablehlo.add %a, %a : \${type}
          return %b : \${type}
        }
      }\`, { partitions: 16 });
      console.log(JSON.stringify({
        platform: slice.platformName,
        devices: slice.devices.length,
        coords: slice.devices.at(-1).attributes.coords,
        outputs: program.outputs,
        memory: program.memoryStats(),
        serialized: program.serialize().length > 1000,
      }));
      program.dispose();
      slice.dispose();`;
    const env = { ...process.env, TPU_SKIP_MDS_QUERY: '1' };
    const { status, signal, stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', env });
    expect({ status, signal }).toEqual({ status: 0, signal: null });
    expect(JSON.parse(stdout)).toMatchObject({
      platform: 'tpu',
      devices: 16,
      coords: [3, 3, 0],
      outputs: [{ elementType: 'f32', dims: [16, 128] }],
      memory: { arguments: 8192, outputs: 8192 },
      serialized: true,
    });
  });
});
