// The profiler extension: of the plugins that are here, and of one made of callbacks, since none here has devices.

import { spawnSync } from 'node:child_process';
import path from 'node:path';
import koffi from 'koffi';
import protobuf from 'protobufjs';
import { installed } from '../../../../plugins/xla/install';
import { extensionTypes } from '../../../../plugins/xla/pjrt/extensions';
import { Profiler } from '../../../../plugins/xla/pjrt/profiler';
import { describeWithPlugin, useClient } from './support';

describeWithPlugin('the CPU plugin', () => {
  const client = useClient();

  test('has extensions, and no profiler', () => {
    expect(client().extensions).toEqual(expect.arrayContaining(['Layouts', 'FFI']));
    expect(client().extensions).not.toContain('Profiler');
    expect(client().profile()).toBeUndefined();
  });
});

/** What XLA's profiler writes, as far as it is read here: tsl/profiler/protobuf/xplane.proto. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message XSpace { repeated XPlane planes = 1; }
  message XPlane { string name = 2; repeated XLine lines = 3; map<int64, XEventMetadata> event_metadata = 4; }
  message XLine { string name = 2; repeated XEvent events = 4; }
  message XEvent { int64 metadata_id = 1; int64 offset_ps = 2; int64 duration_ps = 3; }
  message XEventMetadata { int64 id = 1; string name = 2; }
`);
const XSpace = root.lookupType('XSpace');

const decoded = (bytes: Uint8Array): unknown => XSpace.toObject(XSpace.decode(bytes), { longs: Number });

/**
 * A PLUGIN_Profiler_Api whose functions are ours; each notes its name. As the header says, it fills the caller's buffer; or,
 * as plugins do, it hands out its own.
 */
function fake(xspace: Uint8Array, { failing, own = false }: { failing?: string; own?: boolean } = {}) {
  const calls: string[] = [];
  const kept: unknown[] = [];
  let options = new Uint8Array();
  const words = (args: bigint, count: number) => new BigUint64Array(koffi.view(args, 8 * count));
  const reason = Buffer.from('no device is here');
  const functions: Record<string, (args: bigint) => void> = {
    error_destroy: () => undefined,
    error_message: (args) => words(args, 5).set([koffi.address(reason), BigInt(reason.length)], 3),
    error_get_code: (args) => words(args, 4).set([9n], 3),
    create: (args) => {
      const [, address, length] = words(args, 4);
      options = new Uint8Array(koffi.view(address!, Number(length))).slice();
      words(args, 4).set([77n], 3);
    },
    destroy: () => undefined,
    start: () => undefined,
    stop: () => undefined,
    collect_data: (args) => {
      const [, , buffer] = words(args, 4);
      if (own) words(args, 4).set([koffi.address(xspace)], 2);
      else if (buffer !== 0n) new Uint8Array(koffi.view(buffer!, xspace.length)).set(xspace);
      words(args, 4).set([BigInt(xspace.length)], 3);
    },
  };
  const type = koffi.pointer(koffi.proto('void*', ['void*']));
  const addresses = Object.entries(functions).map(([name, f]) => {
    const callback = koffi.register((args: bigint) => {
      calls.push(name);
      f(args);
      return name === failing ? 5n : null;
    }, type);
    kept.push(callback);
    return koffi.address(callback);
  });
  const table = BigUint64Array.from([80n, 0n, ...addresses]);
  kept.push(table);
  return { table: koffi.address(table), calls, optionsOf: () => options, kept };
}

const recorded = XSpace.encode(
  XSpace.fromObject({
    planes: [
      {
        name: '/device:TPU:0',
        eventMetadata: { 1: { id: 1, name: 'fusion.1' } },
        lines: [{ name: 'XLA Ops', events: [{ metadataId: 1, offsetPs: 10, durationPs: 5 }] }],
      },
    ],
  }),
).finish();

test.each([
  { own: false, collects: ['collect_data', 'collect_data'] },
  { own: true, collects: ['collect_data'] }, // with a zero behind it, as libtpu's
])('a recording is what TensorBoard reads: $collects', ({ own, collects }) => {
  const { table, calls, optionsOf } = fake(own ? Buffer.concat([recorded, Buffer.alloc(1)]) : recorded, {
    own,
  });
  const bytes = new Profiler(table).stop();
  expect(calls).toEqual(['create', 'start', 'stop', ...collects, 'destroy']);
  // version 1, host level 2, device level 1, with HLO
  expect([...optionsOf()]).toEqual([0x28, 1, 0x10, 2, 0x18, 1, 0x38, 1]);
  expect(decoded(bytes)).toMatchObject({
    planes: [{ name: '/device:TPU:0', lines: [{ events: [{ metadataId: 1, durationPs: 5 }] }] }],
  });
});

test('a failure has the profiler’s words, and leaves nothing behind', () => {
  const { table, calls } = fake(recorded, { failing: 'start' });
  expect(() => new Profiler(table)).toThrow('PLUGIN_Profiler_start: FAILED_PRECONDITION: no device is here');
  expect(calls).toEqual(['create', 'start', 'error_message', 'error_get_code', 'error_destroy', 'destroy']);
});

/** Needs `bv runtime install tpu`, and no TPU: it records its own threads. */
(installed('tpu') ? test : test.skip)('the TPU plugin records its host', () => {
  const pjrt = path.resolve(__dirname, '../../../../plugins/xla/pjrt');
  const script = `
    require('${pjrt}/../../../core/register');
    const { loadApi } = require('${pjrt}/api.ts');
    const { Profiler, profilerTable } = require('${pjrt}/profiler.ts');
    const extension = loadApi(${JSON.stringify(installed('tpu'))}).extensions.get(${extensionTypes.Profiler});
    const xspace = new Profiler(profilerTable(extension)).stop();
    console.log('XSpace ' + Buffer.from(xspace).toString('base64'));`;
  const env = { ...process.env, TPU_SKIP_MDS_QUERY: '1', ALLOW_MULTIPLE_LIBTPU_LOAD: '1' };
  const { stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8', env });
  const { planes } = decoded(Buffer.from(/^XSpace (.*)$/m.exec(stdout)![1]!, 'base64')) as {
    planes: { name: string; lines?: { events?: { metadataId: number }[] }[] }[];
  };
  const host = planes.find(({ name }) => name === '/host:CPU');
  expect(host?.lines?.flatMap(({ events = [] }) => events).length).toBeGreaterThan(0);
});
