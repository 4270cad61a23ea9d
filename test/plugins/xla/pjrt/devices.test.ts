import { type DeviceBuffer } from '../../../../plugins/xla/pjrt';
import { describeWithPlugin, moduleOf, useClient } from './support';

const rows = 'sdy.sharding = #sdy.sharding<@mesh, [{"data"}, {}]>';

/** Both operands are sharded by rows, so the product needs an all-gather and the sum an all-reduce. */
const spmd = `module @spmd attributes {mhlo.num_partitions = 4 : i32, mhlo.num_replicas = 1 : i32} {
  sdy.mesh @mesh = <["data"=4]>
  func.func public @main(%a: tensor<8x4xf32> {${rows}}, %b: tensor<4x4xf32> {${rows}})
      -> (tensor<8x4xf32> {${rows}}, tensor<f32>) {
    %product = stablehlo.dot_general %a, %b, contracting_dims = [1] x [0]
        : (tensor<8x4xf32>, tensor<4x4xf32>) -> tensor<8x4xf32>
    %zero = stablehlo.constant dense<0.0> : tensor<f32>
    %sum = stablehlo.reduce(%product init: %zero) applies stablehlo.add across dimensions = [0, 1]
        : (tensor<8x4xf32>, tensor<f32>) -> tensor<f32>
    return %product, %sum : tensor<8x4xf32>, tensor<f32>
  }
}`;

describeWithPlugin('four virtual devices', () => {
  const client = useClient(4);

  const shards = () =>
    client().devices.map((device, index) => [
      client().bufferFromHost(new Float32Array(8).fill(index + 1), 'f32', [2, 4], device),
      client().bufferFromHost(new Float32Array(4).fill(1), 'f32', [1, 4], device),
    ]);

  test.each([undefined, [[3, 2, 1, 0]]])(
    'run one program together (assignment %j)',
    async (deviceAssignment) => {
      const program = client().compile(spmd, { partitions: 4, deviceAssignment });
      const optimized = Buffer.from(program.executable.optimizedProgram().code).toString('latin1');
      expect(optimized).toContain('all-gather');
      expect(optimized).toContain('all-reduce');
      const ids = (deviceAssignment ?? [[0, 1, 2, 3]])[0]!;
      expect(program.devices.map((device) => device.id)).toEqual(ids);
      const args = shards();
      const outputs = program.execute(ids.map((id) => args[id]!)) as [DeviceBuffer, DeviceBuffer][];
      for (const [index, [product, sum]] of outputs.entries()) {
        expect(product.dims).toEqual([2, 4]);
        expect(product.device.id).toBe(ids[index]);
        expect(await product.toHost()).toEqual(new Float32Array(8).fill(4 * (ids[index]! + 1)));
        expect(await sum.toHost()).toEqual(Float32Array.of(4 * 8 * (1 + 2 + 3 + 4)));
      }
    },
  );

  test('a portable program runs on any of them', async () => {
    const type = 'tensor<2xi32>';
    const double = moduleOf(
      `%a: ${type}`,
      `%b = stablehlo.add %a, %a : ${type}
       return %b : ${type}`,
      type,
    );
    const program = client().compile(double, { portable: true });
    for (const device of client().devices) {
      const a = client().bufferFromHost(Int32Array.of(1, device.id), 'i32', [2], device);
      const [[b]] = program.execute([[a]], { device }) as [[DeviceBuffer]];
      expect(b.device).toBe(device);
      expect(await b.toHost()).toEqual(Int32Array.of(2, 2 * device.id));
    }
  });

  test('devices must get as many arguments each', () => {
    const program = client().compile(spmd, { partitions: 4 });
    const args = shards();
    args[2]!.pop();
    expect(() => program.execute(args)).toThrow('Devices have different numbers of arguments');
  });
});
