import * as fs from 'node:fs';
import * as path from 'node:path';
import { hostArray, type HostArray } from '../../core/array';
import { openArchive } from '../../core/checkpoint/open';
import { saveNpz } from '../../core/checkpoint/npz';
import { CheckpointStore } from '../../core/checkpoint/store';
import { bv, expectUserError, type Finished } from '../support/cli';
import { temporaryFolder } from '../support/temporary';

const folder = temporaryFolder();
const at = (name: string) => path.join(folder, name);
const run = (...args: string[]) => bv(args, { cwd: folder });
const lines = ({ stdout }: Finished) => stdout.trimEnd().split('\n');

const tree = {
  params: {
    img: { head: { kernel: hostArray('float32', [2, 2], [1, -0, NaN, 1e-40]), bias: hostArray('bfloat16', [2], [0x3f80, 0x7fc1]) } }, // prettier-ignore
    t: hostArray('float16', [1], [0x3c00]),
  },
  opt: { count: hostArray('int32', [], [7]), mask: hostArray('bool', [3], [1, 0, 1]), image: hostArray('uint8', [2], [0, 255]) }, // prettier-ignore
};

async function arraysOf(location: string): Promise<Map<string, HostArray>> {
  const archive = await openArchive(location);
  try {
    const arrays = new Map<string, HostArray>();
    for (const name of archive.names) arrays.set(name, await archive.read(name));
    return arrays;
  } finally {
    await archive.close();
  }
}

/** Arrays as their bits, so that NaN is NaN and -0 isn't 0. */
const bitsOf = (arrays: Map<string, HostArray>) =>
  Object.fromEntries(
    [...arrays].map(([name, { dtype, shape, data }]) => [
      name,
      [dtype, shape, Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex')],
    ]),
  );

beforeAll(() => saveNpz(at('a.npz'), tree));

test('from form to form every bit stays', async () => {
  expect(lines(await run('convert', 'a.npz', 'b.safetensors'))).toEqual([
    expect.stringMatching(
      /^b\.safetensors \(safetensors\): 6 arrays, 13 values, .* B; from a\.npz \(npz\) in .*s$/,
    ),
  ]);
  expect((await run('convert', 'b.safetensors', 'c')).code).toBe(0);
  expect((await run('convert', 'c', 'd.npz')).code).toBe(0);
  const want = bitsOf(await arraysOf(at('a.npz')));
  for (const name of ['b.safetensors', 'c', 'd.npz']) expect(bitsOf(await arraysOf(at(name)))).toEqual(want);
  // Neither form keeps the order of names, and both write them sorted: the bytes are the same too.
  expect(fs.readFileSync(at('d.npz')).equals(fs.readFileSync(at('a.npz')))).toBe(true);
});

test('parts: the parameters, a tower, what matches', async () => {
  await run('convert', 'a.npz', 'params.npz', '--params');
  expect([...(await arraysOf(at('params.npz'))).keys()].sort()).toEqual(['params/img/head/bias', 'params/img/head/kernel', 'params/t']); // prettier-ignore
  await run('convert', 'a.npz:img', 'tower/');
  expect([...(await arraysOf(at('tower'))).keys()]).toEqual(['head/bias', 'head/kernel']);
  await run('convert', 'a.npz', 'kernels.safetensors', '--match', 'kernel$');
  expect([...(await arraysOf(at('kernels.safetensors'))).keys()]).toEqual(['params/img/head/kernel']);
  const nothing = await run('convert', 'a.npz', 'x.npz', '--match', 'nowhere');
  expectUserError(nothing, /No array of "a.npz" has a name with "nowhere"/);
  expectUserError(await run('convert', 'a.npz:txt', 'x.npz'), /no "txt" in the parameters.*\n?.*/);
  expect(fs.existsSync(at('x.npz'))).toBe(false);
});

test('a run: the newest checkpoint with its step and what it keeps beside arrays', async () => {
  const store = new CheckpointStore(at('run/checkpoints'), () => undefined);
  for (const step of [10, 20]) {
    const arrays = [['params/w', hostArray('float32', [1], [step])] as const];
    store.save({ step, keep: true, arrays, meta: { chrono: step } }, async () => undefined);
  }
  await store.finish();
  await run('convert', 'run', 'copy');
  expect(JSON.parse(fs.readFileSync(at('copy/manifest.json'), 'utf8'))).toMatchObject({ step: 20, meta: { chrono: 20 } }); // prettier-ignore
  // What a run is writing at the time is left alone.
  fs.mkdirSync(at('run/checkpoints/000000030.partial'));
  await run('convert', 'run', 'newest.npz');
  expect((await arraysOf(at('newest.npz'))).get('params/w')).toEqual(hostArray('float32', [1], [20]));
  expect(fs.existsSync(at('run/checkpoints/000000030.partial'))).toBe(true);
});

test('types that have no place here are named', async () => {
  const header = Buffer.from(JSON.stringify({ x: { dtype: 'F64', shape: [1], data_offsets: [0, 8] } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const data = Buffer.from(new Float64Array([0.1]).buffer);
  fs.writeFileSync(at('wide.safetensors'), Buffer.concat([length, header, data]));
  expect(lines(await run('convert', 'wide.safetensors', 'wide.npz'))[1]).toBe('float64 became float32: x');
});

test('nothing is replaced unless --force says so, and never what isn’t a checkpoint', async () => {
  fs.writeFileSync(at('there.npz'), 'mine');
  expectUserError(await run('convert', 'a.npz', 'there.npz'), /"there.npz" is there already/);
  expect(fs.readFileSync(at('there.npz'), 'utf8')).toBe('mine');
  expect((await run('convert', 'a.npz', 'there.npz', '--force')).code).toBe(0);
  expect((await arraysOf(at('there.npz'))).size).toBe(6);
  fs.mkdirSync(at('thesis'));
  fs.writeFileSync(at('thesis/chapter.txt'), 'years of work');
  expectUserError(await run('convert', 'a.npz', 'thesis', '--force'), /not a checkpoint folder of ours/);
  expect(fs.readFileSync(at('thesis/chapter.txt'), 'utf8')).toBe('years of work');
  // A file may replace itself.
  const before = bitsOf(await arraysOf(at('a.npz')));
  expect((await run('convert', 'a.npz', 'a.npz', '--force')).code).toBe(0);
  expect(bitsOf(await arraysOf(at('a.npz')))).toEqual(before);
});

test('what goes wrong leaves nothing behind', async () => {
  const whole = fs.readFileSync(at('a.npz'));
  const dirty = Buffer.from(whole);
  const place = whole.indexOf(Buffer.from(new Float32Array([1, -0]).buffer));
  dirty.writeUInt8(1, place);
  fs.writeFileSync(at('dirty.npz'), dirty);
  for (const to of ['e.npz', 'e.safetensors', 'e']) {
    expectUserError(
      await run('convert', 'dirty.npz', to),
      /"params\/img\/head\/kernel" in "dirty.npz".*checksum/,
    );
  }
  expectUserError(await run('convert', 'a.npz', 'e.pth'), /"e.pth" doesn't say which form/);
  const { code, stderr } = await run('convert', 'a.npz', 'no/such/e.npz');
  expect([code, stderr]).toEqual([4, expect.stringMatching(/"no\/such\/e.npz" can't be written/)]);
  expect(fs.readdirSync(folder).filter((name) => /^e|partial/.test(name))).toEqual([]);
});
