import { Client, PjrtError } from '../../../../plugins/xla/pjrt';
import { describeWithPlugin, moduleOf, pluginPath, useClient } from './support';

const addText = moduleOf(
  '%a: tensor<2x3xf32>, %b: tensor<2x3xf32>',
  `%sum = stablehlo.add %a, %b : tensor<2x3xf32>
   %product = stablehlo.multiply %a, %b : tensor<2x3xf32>
   return %sum, %product : tensor<2x3xf32>, tensor<2x3xf32>`,
  'tensor<2x3xf32>, tensor<2x3xf32>',
);
const values = Float32Array.of(1, 2, 3, 4, 5, 6);

describeWithPlugin('a client', () => {
  const client = useClient();
  const upload = (data: Float32Array, dims: number[]) => client().bufferFromHost(data, 'f32', dims);

  test('knows its platform and devices', () => {
    expect(client().platformName).toBe('cpu');
    expect(client().devices).toHaveLength(1);
    expect(client().addressableDevices).toEqual(client().devices);
    const [device] = client().devices;
    expect(device).toMatchObject({ id: 0, kind: 'cpu', processIndex: 0, isAddressable: true });
  });

  test('runs a program', async () => {
    const program = client().compile(addText);
    const a = upload(values, [2, 3]);
    const [[sum, product]] = program.execute([[a, a]]) as [[typeof a, typeof a]];
    expect(await sum.toHost()).toEqual(Float32Array.of(2, 4, 6, 8, 10, 12));
    expect(product.toHostSync()).toEqual(Float32Array.of(1, 4, 9, 16, 25, 36));
    expect(sum).toMatchObject({ elementType: 'f32', dims: [2, 3], byteLength: 24 });
    expect(sum.device).toBe(client().devices[0]);
    const target = new Float32Array(8);
    expect(await product.toHost(target)).toBe(target);
    expect(target).toEqual(Float32Array.of(1, 4, 9, 16, 25, 36, 0, 0));
    await expect(product.toHost(new Float32Array(5))).rejects.toThrow(RangeError);
  });

  test('describes what it compiled', () => {
    const { executable, outputs, devices } = client().compile(addText);
    expect(outputs).toEqual([
      { elementType: 'f32', dims: [2, 3] },
      { elementType: 'f32', dims: [2, 3] },
    ]);
    expect(devices).toEqual(client().devices);
    expect(executable.costAnalysis()).toMatchObject({ flops: 12 });
    expect(executable.memoryStats()).toMatchObject({ arguments: 48, outputs: 64, aliased: 0 });
    expect(executable.optimizedProgram().format).toMatch(/^hlo/);
  });

  test('copies what it is given before bufferFromHost returns', async () => {
    const data = values.slice();
    const buffer = upload(data, [2, 3]);
    data.fill(-1);
    expect(await buffer.toHost()).toEqual(values);
  });

  test('refuses data that is too short', () => {
    expect(() => upload(values, [7])).toThrow(RangeError);
  });

  test("a bad program's error carries PJRT's message", () => {
    const bad = moduleOf('%a: tensor<2xf32>', 'return %b : tensor<2xf32>', 'tensor<2xf32>');
    const compile = () => client().compile(bad);
    expect(compile).toThrow(PjrtError);
    expect(compile).toThrow(/^PJRT_Client_Compile: UNKNOWN: .*undeclared SSA value/s);
  });

  test('a wrong number of arguments is an error', () => {
    const program = client().compile(addText);
    expect(() => program.execute([[upload(values, [2, 3])]])).toThrow(/INVALID_ARGUMENT/);
  });

  test('an executable survives serialization', async () => {
    const bytes = client().compile(addText).executable.serialize();
    const program = client().deserializeExecutable(bytes);
    const a = upload(values, [2, 3]);
    const [[sum]] = program.execute([[a, a]]) as [[typeof a]];
    expect(await sum.toHost()).toEqual(Float32Array.of(2, 4, 6, 8, 10, 12));
    expect(program.outputs).toHaveLength(2);
    expect(() => client().deserializeExecutable(bytes.subarray(0, 10))).toThrow(PjrtError);
  });

  test('disposing is idempotent, and a use after it is an error instead of a crash', () => {
    const program = client().compile(addText);
    const a = upload(values, [2, 3]);
    for (const thing of [a, a, program, program]) thing.dispose();
    expect(a.isDeleted).toBe(true);
    expect(() => a.toHostSync()).toThrow('This buffer is disposed');
    expect(() => program.execute([[]])).toThrow('This executable is disposed');
    expect(() => program.executable.memoryStats()).toThrow('This executable is disposed');
  });
});

describeWithPlugin('a disposed client', () => {
  test('has freed what was on it, and says so', () => {
    const client = Client.create(pluginPath(), { cpuDeviceCount: 1 });
    const buffer = client.bufferFromHost(values, 'f32', [6]);
    client.dispose();
    client.dispose();
    expect(buffer.isDeleted).toBe(true);
    buffer.dispose();
    expect(() => client.compile(addText)).toThrow('This client is disposed');
    expect(() => client.bufferFromHost(values, 'f32', [6])).toThrow('This client is disposed');
  });
});

describeWithPlugin('donation', () => {
  const client = useClient();
  const type = 'tensor<4xf32>';
  const increment = moduleOf(
    `%a: ${type} {tf.aliasing_output = 0 : i32}`,
    `%one = stablehlo.constant dense<1.0> : ${type}
     %b = stablehlo.add %a, %one : ${type}
     return %b : ${type}`,
    type,
  );
  const upload = () => client().bufferFromHost(new Float32Array(4), 'f32', [4]);

  test('deletes the argument and reuses its memory', async () => {
    const program = client().compile(increment);
    expect(program.executable.memoryStats().aliased).toBe(16);
    let buffer = upload();
    for (let step = 1; step <= 3; step++) {
      const [[next]] = program.execute([[buffer]]) as [[typeof buffer]];
      expect(buffer.isDeleted).toBe(true);
      expect(next.isDeleted).toBe(false);
      buffer.dispose();
      buffer = next;
    }
    expect(await buffer.toHost()).toEqual(Float32Array.of(3, 3, 3, 3));
  });

  test('spares arguments that execute is told to keep', async () => {
    const program = client().compile(increment);
    const buffer = upload();
    const [[next]] = program.execute([[buffer]], { nonDonatable: [0] }) as [[typeof buffer]];
    expect(buffer.isDeleted).toBe(false);
    expect(await next.toHost()).toEqual(Float32Array.of(1, 1, 1, 1));
    expect(await buffer.toHost()).toEqual(new Float32Array(4));
  });

  test('a donated buffer is an error as an argument, and when awaited', async () => {
    const program = client().compile(increment);
    const buffer = upload();
    program.execute([[buffer]]);
    expect(() => program.execute([[buffer]])).toThrow(PjrtError);
    await expect(buffer.ready()).rejects.toThrow(/^computing a buffer: INVALID_ARGUMENT/);
  });
});
