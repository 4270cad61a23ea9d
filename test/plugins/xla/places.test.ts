// What one of two processes holds of arrays: its devices are the second half of a mesh of four.

import { Devices, DeviceMesh, rowsAt } from '../../../plugins/xla/mesh';
import { describeWithPlugin, useClient } from './pjrt/support';

const mesh = new DeviceMesh([
  ['data', 2],
  ['model', 2],
]);
const mine = [2, 3];

test('rows: of a split batch the second half, of a whole one all', () => {
  const rows = (spec: Parameters<typeof mesh.sharding>[0]) => rowsAt(mesh, mine, 8, mesh.sharding(spec));
  expect(rows(['data'])).toEqual({ start: 4, end: 8 });
  expect(rows([['data', 'model']])).toEqual({ start: 4, end: 8 });
  expect(rows(['model'])).toEqual({ start: 0, end: 8 });
  expect(rows([])).toEqual({ start: 0, end: 8 });
});

describeWithPlugin('arrays', () => {
  const client = useClient(4);
  const devicesOf = (places: readonly number[]) =>
    new Devices(
      client(),
      mesh,
      places.map((place) => client().devices[place]!),
      places,
    );
  const values = Int32Array.from({ length: 16 }, (_, i) => i);

  test('are uploaded from the rows that this process has, and each block is kept once', async () => {
    const both = mesh.sharding(['data', 'model']);
    const [first, second] = [devicesOf([0, 1]), devicesOf(mine)];
    const arrays = [
      first.upload(values.subarray(0, 8), 'i32', [4, 4], both, 0),
      second.upload(values.subarray(8), 'i32', [4, 4], both, 2),
    ];
    const own = await Promise.all([first.downloadOwn(arrays[0]!), second.downloadOwn(arrays[1]!)]);
    const blocks = own.map((parts) =>
      parts.map(({ held, values }) => [held.start, [...(values as Int32Array)]]),
    );
    expect(blocks).toEqual([
      [
        [[0, 0], [0, 1, 4, 5]],
        [[0, 2], [2, 3, 6, 7]],
      ],
      [
        [[2, 0], [8, 9, 12, 13]],
        [[2, 2], [10, 11, 14, 15]],
      ],
    ]); // prettier-ignore
  });

  test('that are in part elsewhere are told from those that are here whole', async () => {
    const devices = devicesOf(mine);
    const whole = devices.upload(values, 'i32', [4, 4], mesh.sharding([null, 'model']));
    expect(await devices.download(whole)).toEqual(values);
    // Of each of its two parts the first process has a replica, which is the one that is kept.
    expect(await devices.downloadOwn(whole)).toEqual([]);
    const part = devices.upload(values.subarray(8), 'i32', [4, 4], mesh.sharding(['data']), 2);
    expect(devices.hasWhole(part.arrayType)).toBe(false);
    await expect(devices.download(part)).rejects.toMatchObject({ code: 'xla/not-whole' });
    expect(() => devices.downloadSync(part)).toThrow('other processes hold parts of it');
    const replicated = devices.upload(values, 'i32', [4, 4], mesh.replicated);
    expect(await devices.downloadOwn(replicated)).toEqual([]);
    const owner = devicesOf([0, 1]);
    expect(await owner.downloadOwn(owner.upload(values, 'i32', [4, 4], mesh.replicated))).toHaveLength(1);
  });
});
