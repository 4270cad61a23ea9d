// Checkpoints of every age, as the original loads them.

import { join } from 'node:path';
import { type HostArray, hostArray } from '../../../core/array';
import { saveNpz } from '../../../core/checkpoint/npz';
import { CheckpointStore } from '../../../core/checkpoint/store';
import type { ParamArrays } from '../../../core/extensions';
import { declareParams } from '../../../core/layers/params';
import { TensorSpec } from '../../../core/runtime';
import { mapNamed, namedLeaves, nest, type Tree } from '../../../core/tree';
import {
  loadVit,
  pyloopToScan,
  released,
  resamplePosemb,
  scanToPyloop,
  vit,
  vitOptions,
} from '../../../plugins/vit';
import { XlaRuntime } from '../../../plugins/xla';
import { arraysUnder, goldenCases, goldenRoot, readCase } from '../../support/golden';
import { temporaryFolder } from '../../support/temporary';

let runtime: XlaRuntime;
beforeAll(async () => {
  runtime = await XlaRuntime.create({ platform: 'cpu' });
});
afterAll(() => runtime.dispose());

const textOf = (array: HostArray | undefined) =>
  Buffer.from((array as HostArray).data as Uint8Array).toString();
const leavesOf = (params: ParamArrays) => new Map(namedLeaves<HostArray>(params as Tree<HostArray>));
const under = (prefix: string, params: ParamArrays) =>
  new Map([...leavesOf(params)].map(([name, array]) => [`${prefix}/${name}`, array] as const));

interface LoadArgs {
  readonly model: { readonly depth: number; readonly scan?: boolean };
  readonly init_file: string;
  readonly dont_load: readonly string[];
}

test.each(
  goldenCases(({ name, string_outputs }) => name === 'vit:load' && string_outputs?.[0] === 'error').map(
    ({ folder }) => folder,
  ),
)('the error says what the original says: %s', async (folder) => {
  const { args, inputs, outputs } = await readCase(folder);
  const { model: options, init_file, dont_load } = args as unknown as LoadArgs;
  const model = vit(vitOptions.parse(options));
  const init = arraysUnder(inputs, 'init') as ParamArrays;
  const loading = model.load?.(init, join(goldenRoot, folder, init_file), { dont_load });
  await expect(loading).rejects.toThrow(expectedError(JSON.parse(textOf(outputs.get('error')))));
});

/** The lines that say which name is on one side only are the original's; and a subtree that isn't there is named. */
function expectedError({ error, message }: { error: string; message: string }): RegExp {
  if (error === 'KeyError') return new RegExp(`There is no "${message.split('\n')[0]}"`);
  const lines = message.split('\n').filter((line) => /^ [-+] /.test(line));
  return new RegExp(lines.map((line) => `^${line.replace(/[+/]/g, '\\$&')}$`).join('[^]*'), 'm');
}

const options = { patch_size: [4, 4], width: 8, num_heads: 2, num_classes: 3, pool_type: 'map' };

/** Parameters with values that tell them apart. */
function example(more: object): ParamArrays {
  const model = vit(vitOptions.parse({ ...options, ...more }));
  const declared = declareParams(runtime, model, { image: new TensorSpec('float32', [1, 8, 8, 3]) });
  let next = 0;
  const valueOf = ({ dtype, shape }: TensorSpec) => {
    const size = shape.reduce((a, b) => a * b, 1);
    return hostArray(
      dtype,
      shape,
      Array.from({ length: size }, () => Math.sin(next++)),
    );
  };
  return nest(declared.map(({ name, spec }) => [name, valueOf(spec)] as const)) as ParamArrays;
}
const zerosLike = (params: ParamArrays) =>
  mapNamed(params, (_, { dtype, shape, data }: HostArray) =>
    hostArray(
      dtype,
      shape,
      data.map(() => 0),
    ),
  );
const write = async (params: unknown, name = 'checkpoint.npz') => {
  const file = join(temporaryFolder(), name);
  await saveNpz(file, params as ParamArrays);
  return file;
};

describe('round trips', () => {
  test.each([false, true])('an .npz file, scan %s', async (scan) => {
    const params = example({ depth: 2, scan });
    const file = await write({ params, opt: { step: hostArray('int32', [], [3]) } });
    expect(await loadVit(zerosLike(params), file, { scan })).toEqual(params);
  });

  test('a checkpoint of a run of ours, by its workdir', async () => {
    const params = example({ depth: 1 });
    const workdir = temporaryFolder();
    const store = new CheckpointStore(join(workdir, 'checkpoints'), () => undefined);
    const arrays = [...under('params', params), ['opt/0/count', hostArray('int32', [], [7])] as const];
    store.save({ step: 5, arrays, meta: {}, keep: false }, async () => undefined);
    await store.finish();
    expect(await loadVit(zerosLike(params), workdir, { scan: false })).toEqual(params);
    const part = await loadVit(zerosLike(params), `${workdir}/`, { scan: false, dont_load: ['head/.*'] });
    expect(leavesOf(part).get('head/bias')?.data).toEqual(new Float32Array(3));
  });

  test('stacked and unstacked', () => {
    const loop = example({ depth: 3 });
    const stacked = example({ depth: 3, scan: true });
    expect(scanToPyloop(pyloopToScan(loop))).toEqual(loop);
    expect(pyloopToScan(scanToPyloop(stacked))).toEqual(stacked);
    const kernel = leavesOf(pyloopToScan(loop)).get('Transformer/encoderblock/MlpBlock_0/Dense_0/kernel');
    const second = leavesOf(loop).get('Transformer/encoderblock_1/MlpBlock_0/Dense_0/kernel') as HostArray;
    expect(kernel?.shape).toEqual([3, 8, 32]);
    expect(kernel?.data.subarray(256, 512)).toEqual(second.data);
  });
});

describe('dont_load', () => {
  test('patterns match whole names', async () => {
    const params = example({ depth: 1 });
    const file = await write(params);
    const load = (...dont_load: string[]) => loadVit(zerosLike(params), file, { scan: false, dont_load });
    expect(await load('head', 'ead/.*', 'head/bia')).toEqual(params);
    const names = (loaded: ParamArrays) =>
      [...leavesOf(loaded)]
        .filter(([, { data }]) => data.every((value) => value === 0))
        .map(([name]) => name);
    expect(names(await load('head/(bias|kernel)', '.*probe'))).toEqual([
      'MAPHead_0/probe',
      'head/bias',
      'head/kernel',
    ]);
  });

  test('position embeddings that keep their initial values need not be square', async () => {
    const params = example({ depth: 1 });
    const file = await write({
      ...params,
      pos_embedding: hostArray('float32', [1, 6, 8], Array<number>(48).fill(1)),
    });
    const loaded = await loadVit(params, file, { scan: false, dont_load: ['pos_embedding'] });
    expect(loaded).toEqual(params);
  });
});

describe('errors', () => {
  const load = async (params: unknown, init: ParamArrays, more = {}) =>
    loadVit(init, await write(params), { scan: false, ...more });

  test('names on one side only, each side listed', async () => {
    const { head, ...rest } = example({ depth: 1 });
    const params = { ...rest, pre_logits: head };
    await expect(load(params, example({ depth: 1 }))).rejects.toThrow(
      /^ - head\/bias\n - head\/kernel\n[^]*^ \+ pre_logits\/bias\n \+ pre_logits\/kernel\n[^]*^Try: add patterns/m,
    );
    await expect(
      load(params, example({ depth: 1 }), { dont_load: ['(head|pre_logits)/.*'] }),
    ).resolves.toBeDefined();
  });

  test.each([
    ['[', /"\[" in dont_load is not a regular expression/],
    ['/head/.*', /"\/head\/\.\*" in dont_load starts with a slash/],
  ])('the pattern %s', async (pattern, message) => {
    const params = example({ depth: 1 });
    await expect(load(params, params, { dont_load: [pattern] })).rejects.toThrow(message);
  });

  test('position embeddings that are no square grid', () => {
    const old = hostArray('float32', [1, 6, 2], Array<number>(12).fill(0));
    expect(() => resamplePosemb(old, [1, 9, 2])).toThrow(
      /\[1, 6, 2\].*\[1, 9, 2\].*square grids.*\nTry: .*dont_load/,
    );
    expect(() => resamplePosemb(old, [1, 6, 4])).toThrow(/same width/);
    expect(resamplePosemb(old, [1, 6, 2])).toBe(old);
  });

  test('blocks that can’t be stacked', () => {
    const two = example({ depth: 2 });
    const { encoderblock_0, ...transformer } = two.Transformer as ParamArrays;
    expect(() => pyloopToScan({ ...two, Transformer: transformer })).toThrow(/they are encoderblock_1\./);
    const { LayerNorm_0: _, ...less } = encoderblock_0 as ParamArrays;
    expect(() => pyloopToScan({ ...two, Transformer: { ...transformer, encoderblock_0: less } })).toThrow(
      /can't be stacked/,
    );
  });

  test('a file that holds another model, or several', async () => {
    const params = example({ depth: 1 });
    const towers = await write({ params: { img: params, txt: params, t: hostArray('float32', [1], [1]) } });
    await expect(loadVit(params, towers, { scan: false })).rejects.toThrow(/it has .*img.*\nTry: .*colon/);
    expect(await loadVit(params, `${towers}:img`, { scan: false })).toEqual(params);
    await expect(loadVit(params, `${towers}:image`, { scan: false })).rejects.toThrow(/Did you mean "img"/);
  });

  test('released checkpoints are named, and not downloaded', async () => {
    const load = (name: string) => loadVit({}, name, { scan: false });
    await expect(load('SigLIP B/16 224')).rejects.toThrow(
      /Try: download https:\/\/storage\.googleapis\.com\/big_vision\/siglip\/webli_en_b16_224_63724782\.npz and set model_init to \.\/webli_en_b16_224_63724782\.npz:img/,
    );
    await expect(load('howto-i21k-B/16')).rejects.toThrow(/vit_models\/augreg\/B_16-i21k/);
    await expect(load('howto')).rejects.toThrow(/no slash/);
    expect(released.size).toBe(7 + 3 + 12 + 9 + 17);
    for (const path of released.values()) expect(path).toMatch(/^gs:\/\/[\w./-]+\.npz(:img)?$/);
  });
});

describe('resampling', () => {
  const grid = (side: number, values: (i: number) => number) =>
    hostArray(
      'float32',
      [1, side * side, 1],
      Array.from({ length: side * side }, (_, i) => values(i)),
    );

  test('corners stay corners, and between points it is linear', () => {
    const ramp = grid(3, (i) => i);
    expect([...resamplePosemb(ramp, [1, 4, 1]).data]).toEqual([0, 2, 6, 8]);
    expect([...resamplePosemb(ramp, [1, 25, 1]).data].slice(0, 6)).toEqual([0, 0.5, 1, 1.5, 2, 1.5]);
    expect([...resamplePosemb(ramp, [1, 1, 1]).data]).toEqual([0]);
  });

  test('what is constant stays so, but for the last row and column where rounding puts them outside', () => {
    for (let from = 1; from <= 40; from++) {
      const old = grid(from, () => 3);
      for (let to = 1; to <= 40; to++) {
        const { data } = resamplePosemb(old, [1, to * to, 1]);
        const last = data.at(-1) as number;
        const expected = grid(to, (i) => (i % to === to - 1 || i >= to * (to - 1) ? last : 3));
        expect([0, 3]).toContain(last);
        expect(data).toEqual(expected.data);
      }
    }
    expect(
      resamplePosemb(
        grid(28, () => 3),
        [1, 196, 1],
      ).data.at(-1),
    ).toBe(0);
  });

  test('half-precision embeddings become float32 when they change', () => {
    const old = hostArray('bfloat16', [1, 1, 2], [0x3f80, 0xc000]);
    expect(resamplePosemb(old, [1, 1, 2])).toBe(old);
    const values = [1, -2, 1, -2, 1, -2, 1, -2];
    expect(resamplePosemb(old, [1, 4, 2])).toEqual(hostArray('float32', [1, 4, 2], values));
    const half = hostArray('float16', [1, 1, 3], [0x3c00, 0x0001, 0xc000]);
    expect([...resamplePosemb(half, [1, 4, 3]).data.slice(0, 3)]).toEqual([1, 2 ** -24, -2]);
  });
});
