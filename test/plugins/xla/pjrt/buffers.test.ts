import { setTimeout as sleep } from 'node:timers/promises';
import {
  type DeviceBuffer,
  type ElementType,
  elementTypes,
  hostArray,
  type HostArray,
} from '../../../../plugins/xla/pjrt';
import { describeWithPlugin, moduleOf, useClient } from './support';

describeWithPlugin('buffers', () => {
  const client = useClient();

  const samples: Record<ElementType, HostArray> = {
    i1: Uint8Array.of(0, 1, 1),
    i8: Int8Array.of(-128, 0, 127),
    i16: Int16Array.of(-32768, 0, 32767),
    i32: Int32Array.of(-2147483648, 0, 2147483647),
    i64: BigInt64Array.of(-(2n ** 63n), 0n, 2n ** 63n - 1n),
    ui8: Uint8Array.of(0, 128, 255),
    ui16: Uint16Array.of(0, 1, 65535),
    ui32: Uint32Array.of(0, 1, 4294967295),
    ui64: BigUint64Array.of(0n, 1n, 2n ** 64n - 1n),
    f16: Uint16Array.of(0x3c00, 0xc000, 0x7c00),
    f32: Float32Array.of(1.5, -0, Infinity),
    f64: Float64Array.of(Math.PI, -0, NaN),
    bf16: Uint16Array.of(0x3f80, 0xc000, 0x7f80),
  };

  test.each(Object.entries(samples) as [ElementType, HostArray][])('hold %s', async (type, data) => {
    const buffer = client().bufferFromHost(data, type, [3]);
    const program = client().compile(
      moduleOf(
        `%a: tensor<3x${type}>`,
        `%b = stablehlo.reshape %a : (tensor<3x${type}>) -> tensor<1x3x${type}>
         return %b : tensor<1x3x${type}>`,
        `tensor<1x3x${type}>`,
      ),
    );
    const [[output]] = program.execute([[buffer]]) as [[DeviceBuffer]];
    expect(output).toMatchObject({
      elementType: type,
      dims: [1, 3],
      byteLength: 3 * elementTypes[type].bytes,
    });
    expect(await buffer.toHost()).toEqual(data);
    expect(await output.toHost()).toEqual(data);
  });

  test('compute in bf16, bool and uint32', async () => {
    const program = client().compile(
      moduleOf(
        '%a: tensor<2xbf16>, %b: tensor<2xi1>, %c: tensor<2xui32>',
        `%d = stablehlo.add %a, %a : tensor<2xbf16>
         %e = stablehlo.not %b : tensor<2xi1>
         %f = stablehlo.add %c, %c : tensor<2xui32>
         return %d, %e, %f : tensor<2xbf16>, tensor<2xi1>, tensor<2xui32>`,
        'tensor<2xbf16>, tensor<2xi1>, tensor<2xui32>',
      ),
    );
    const [outputs] = program.execute([
      [
        client().bufferFromHost(Uint16Array.of(0x3f80, 0x4000), 'bf16', [2]), // 1, 2
        client().bufferFromHost(Uint8Array.of(0, 1), 'i1', [2]),
        client().bufferFromHost(Uint32Array.of(2147483649, 3), 'ui32', [2]),
      ],
    ]);
    const results = await Promise.all(outputs!.map((output) => output.toHost()));
    expect(results).toEqual([Uint16Array.of(0x4000, 0x4080), Uint8Array.of(1, 0), Uint32Array.of(2, 6)]);
  });

  test.each([
    ['a scalar', [], 1],
    ['nothing', [0], 0],
    ['nothing, in several dimensions', [3, 0, 2], 0],
    ['seven dimensions', [1, 2, 1, 2, 1, 2, 1], 8],
  ] as [string, number[], number][])('hold %s', async (_, dims, size) => {
    const data = Float32Array.from({ length: size }, (_, index) => index + 1);
    const buffer = client().bufferFromHost(data, 'f32', dims);
    expect(buffer).toMatchObject({ dims, byteLength: 4 * size });
    expect(await buffer.toHost()).toEqual(data);
    expect(buffer.toHostSync()).toEqual(data);
    await buffer.ready();
  });

  test('are made from a part of a larger array', async () => {
    const all = Int32Array.from({ length: 100 }, (_, index) => index);
    const buffer = client().bufferFromHost(all.subarray(10, 14), 'i32', [2, 2]);
    expect(await buffer.toHost()).toEqual(Int32Array.of(10, 11, 12, 13));
    const target = new Int32Array(6).fill(-1);
    await buffer.toHost(target.subarray(1, 5));
    expect(target).toEqual(Int32Array.of(-1, 10, 11, 12, 13, -1));
  });

  test('are made from shared memory, and read into it', async () => {
    const shared = new Float32Array(new SharedArrayBuffer(16), 4, 3);
    shared.set([1, 2, 3]);
    const buffer = client().bufferFromHost(shared, 'f32', [3]);
    shared.fill(0);
    expect(await buffer.toHost(shared)).toBe(shared);
    expect([...shared]).toEqual([1, 2, 3]);
  });

  test('are zeroed host arrays of the right kind', () => {
    expect(hostArray('i64', [2, 2])).toEqual(new BigInt64Array(4));
    expect(hostArray('bf16', [])).toEqual(new Uint16Array(1));
  });

  test('are awaited without blocking the event loop', async () => {
    const type = 'tensor<1024x1024xf32>';
    const products = Array.from(
      { length: 12 },
      (_, index) =>
        `%${index + 1} = stablehlo.dot_general ${index === 0 ? '%a' : `%${index}`}, %a, contracting_dims = [1] x [0] : (${type}, ${type}) -> ${type}`,
    );
    const text = moduleOf(`%a: ${type}`, `${products.join('\n')}\nreturn %12 : ${type}`, type);
    const program = client().compile(text);
    const a = client().bufferFromHost(new Float32Array(1 << 20), 'f32', [1024, 1024]);
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const started = performance.now();
    const [[output]] = program.execute([[a]]) as [[DeviceBuffer]];
    const dispatched = performance.now() - started;
    await output.toHost();
    const elapsed = performance.now() - started;
    clearInterval(timer);
    expect(dispatched).toBeLessThan(elapsed / 2);
    // A loop that stands still has none; one on a busy machine has fewer than there is time for.
    expect(ticks).toBeGreaterThan(2);
  });

  test('many can be awaited at once', async () => {
    const buffers = Array.from({ length: 300 }, (_, index) =>
      client().bufferFromHost(Int32Array.of(index), 'i32', []),
    );
    const values = await Promise.all(buffers.map((buffer) => buffer.toHost()));
    expect(values.map(([value]) => value)).toEqual(buffers.map((_, index) => index));
  });

  test("don't leak", async () => {
    const data = new Float32Array(1 << 16);
    const churn = async (times: number) => {
      for (let time = 0; time < times; time++) {
        const buffer = client().bufferFromHost(data, 'f32', [1 << 16]);
        await buffer.ready();
        buffer.dispose();
      }
    };
    await churn(100);
    const objects = client().liveObjects;
    const before = process.memoryUsage.rss();
    await churn(1000); // 256 MiB if all stayed
    expect(client().liveObjects).toBe(objects);
    expect(process.memoryUsage.rss() - before).toBeLessThan(64 << 20);
  });

  test('are freed when they are forgotten', async () => {
    const collect = globalThis.gc ?? (await exposedGc());
    collect();
    await sleep(10);
    const objects = client().liveObjects;
    (() => void client().bufferFromHost(new Float32Array(4), 'f32', [4]))();
    expect(client().liveObjects).toBe(objects + 1);
    for (let attempt = 0; attempt < 500 && client().liveObjects > objects; attempt++) {
      collect();
      await sleep(10);
    }
    expect(client().liveObjects).toBeLessThanOrEqual(objects);
  });
});

async function exposedGc(): Promise<() => void> {
  const { setFlagsFromString } = await import('node:v8');
  const { runInNewContext } = await import('node:vm');
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
