// Reading, running and comparing recorded cases, with cases that are made wrong on purpose.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { type HostArray, hostArray } from '../../../core/array';
import { saveNpz } from '../../../core/checkpoint/npz';
import { Container } from '../../../core/container';
import { Registry } from '../../../core/extensions';
import { caseFolders, parityServices, type ParityServices, readCase, type RecordedCase, runCase } from '../../../core/parity'; // prettier-ignore
import { comparisonFor } from '../../../core/parity/kinds';
import { registerParity } from '../../../core/parity/register';
import { type Plugin, registrarFor } from '../../../core/plugin';
import { tokens } from '../../../core/train/run';
import { nest } from '../../../core/tree';
import losses from '../../../plugins/losses';
import optim from '../../../plugins/optim';
import pp from '../../../plugins/pp';
import schedules from '../../../plugins/schedules';
import vit from '../../../plugins/vit';
import { XlaRuntime } from '../../../plugins/xla';
import { goldenRoot } from '../../support/golden';
import { temporaryFolder } from '../../support/temporary';

let runtime: XlaRuntime;
let services: ParityServices;
beforeAll(async () => {
  runtime = await XlaRuntime.create({ platform: 'cpu' });
  const registry = new Registry();
  const container = Container.create();
  container.provide(tokens.registry, registry);
  for (const plugin of [losses, optim, pp, schedules, vit] as unknown as Plugin[])
    plugin.register?.(registrarFor(plugin, registry, container));
  const { register } = registrarFor(
    { name: 'test', version: '1.0.0', core: '*', doc: '' },
    registry,
    container,
  );
  registerParity(register, {
    'model test:throws': () => Promise.reject(new Error('no\n  such thing')),
    'model test:nothing': async () => new Map(),
    'evaluator test:text': async ({ args }) => new Map([['result', String(args.text)]]),
  });
  services = parityServices(runtime, { registry, container });
});
afterAll(() => runtime.dispose());

test.each([
  'model_vit_tok',
  'grad_vit_map',
  'model_sincos_2x3_8_10000',
  'loss_softmax_kl_mean',
  'opt_adam',
  'sched_steps',
  'pp_onehot_multi',
])('%s passes', async (name) => {
  expect(await runCase(path.join(goldenRoot, name), services)).toMatchObject({
    passed: true,
    reason: undefined,
  });
});

const scalar = (value: number) => hostArray('float32', [], [value]);
const bytes = (text: string) => hostArray('uint8', [Buffer.byteLength(text)], Buffer.from(text));

/** A folder with these parts; without arrays the archive is one of nothing, as numpy writes it. */
async function makeCase(
  info: object,
  outputs: Record<string, HostArray> = { output: scalar(1) },
  inputs: Record<string, HostArray> = {},
): Promise<string> {
  const folder = temporaryFolder();
  const whole = { args: {}, tolerance: { atol: 0.1, rtol: 0 }, ...info };
  fs.writeFileSync(path.join(folder, 'case.json'), JSON.stringify(whole));
  for (const [part, arrays] of Object.entries({ inputs, outputs })) {
    const file = path.join(folder, `${part}.npz`);
    if (Object.keys(arrays).length > 0) await saveNpz(file, nest(Object.entries(arrays)));
    else fs.writeFileSync(file, Buffer.concat([Buffer.from('PK\x05\x06'), Buffer.alloc(18)]));
  }
  return folder;
}

describe('a case that can’t pass says why in one line, and nothing is thrown', () => {
  test.each<[string, object, RegExp]>([
    ['an unknown kind', { kind: 'modle', name: 'vit' }, /^unknown kind "modle"; did you mean "model"\?$/],
    ['an unknown model', { kind: 'model', name: 'vitt' }, /^Unknown model "vitt".*Did you mean "vit"\?$/],
    ['a path', { kind: 'model', name: 'proj/x/y' }, /^Unknown model "proj\.x\.y"/],
    ['an unknown op', { kind: 'pp', name: 'x', args: { pp: 'resise(3)' } }, /^Unknown pp "resise".*resize/],
    ['an op without a pipeline', { kind: 'pp', name: 'cutout' }, /^no rule for the op "cutout"/],
    ['an evaluator', { kind: 'evaluator', name: 'x' }, /^nothing runs the evaluator "x"/],
    [
      'an option',
      { kind: 'model', name: 'vit', args: { widht: 3 } },
      /^Unknown key "args\.widht".*"width"\?$/,
    ],
    ['a runner that throws', { kind: 'model', name: 'test:throws' }, /^no such thing$/],
    ['an output that is missing', { kind: 'model', name: 'test:nothing' }, /^output: missing$/],
    ['no tolerance', { kind: 'model', name: 'vit', tolerance: {} }, /"tolerance\.atol" in .* is missing/],
  ])('%s', async (_, info, reason) => {
    const verdict = await runCase(await makeCase(info), services);
    expect(verdict.passed).toBe(false);
    expect(verdict.reason).toMatch(reason);
    expect(verdict.reason).not.toContain('\n');
  });

  test('files that are missing or damaged', async () => {
    const folder = await makeCase({ kind: 'model', name: 'vit' });
    fs.writeFileSync(path.join(folder, 'outputs.npz'), 'PK');
    expect((await runCase(folder, services)).reason).toMatch(/outputs\.npz" is not a \.npz archive/);
    fs.rmSync(path.join(folder, 'outputs.npz'));
    expect((await runCase(folder, services)).reason).toMatch(/There is no file ".*outputs\.npz"/);
    fs.writeFileSync(path.join(folder, 'case.json'), '{');
    expect((await runCase(folder, services)).reason).toMatch(/case\.json" can't be read/);
  });

  test('folders', () => {
    expect(() => caseFolders(['/no/such/folder'])).toThrow(/There is no folder "\/no\/such\/folder"/);
    expect(() => caseFolders([temporaryFolder()])).toThrow(/holds no cases/);
    expect(caseFolders([path.join(goldenRoot, 'model_vit_tok')])).toHaveLength(1);
    expect(caseFolders([goldenRoot]).length).toBeGreaterThan(300);
  });
});

test('text is compared as it is, JSON as a value, and of errors that they are', async () => {
  const verdictOf = async (text: string, want: string) =>
    (await runCase(await makeCase({ kind: 'evaluator', name: 'test:text', args: { text }, string_outputs: ['result'] }, { result: bytes(want) }), services)).passed; // prettier-ignore
  expect(await verdictOf('né\nb', 'né\nb')).toBe(true);
  expect(await verdictOf('né\nb', 'ne\nb')).toBe(false);
  expect(await verdictOf('{"a":1,"b":[2]}', '{"b": [2], "a": 1}')).toBe(true);
  expect(await verdictOf('[{"error":"x"}]', '[{"error": "SyntaxError"}]')).toBe(true);
  expect(await verdictOf('[1]', '[{"error": "SyntaxError"}]')).toBe(false);
});

// ---- Comparison ----------------------------------------------------------------------------------------------------------

function excessOf(
  info: Partial<RecordedCase>,
  want: Record<string, HostArray>,
  got: Record<string, HostArray | string>,
): number {
  const recorded = { kind: 'model', name: 'x', args: {}, tolerance: { atol: 0.5, rtol: 0.1 }, outputs: new Map(Object.entries(want)), ...info } as RecordedCase; // prettier-ignore
  return comparisonFor(recorded)(recorded, new Map(Object.entries(got)))[0]?.excess ?? NaN;
}
const floats = (...values: number[]) => hostArray('float32', [values.length], values);
const pixels = (...values: number[]) => hostArray('uint8', [values.length / 3, 3], values);

test('atol + rtol |want| for every value, whatever the types; NaN only for NaN', () => {
  expect(excessOf({}, { a: floats(10) }, { a: floats(11.5) })).toBeCloseTo(1, 5);
  expect(excessOf({}, { a: floats(10, NaN, Infinity) }, { a: floats(10, NaN, Infinity) })).toBe(0);
  expect(excessOf({}, { a: floats(10) }, { a: floats(NaN) })).toBe(Infinity);
  expect(excessOf({}, { a: floats(NaN) }, { a: floats(1) })).toBe(Infinity);
  expect(excessOf({}, { a: floats(1, 2) }, { a: hostArray('float32', [2, 1], [1, 2]) })).toBe(Infinity);
  expect(excessOf({}, { a: hostArray('uint8', [1], [1]) }, { a: hostArray('bool', [1], [1]) })).toBe(0);
  expect(
    excessOf({ tolerances: { 'a.*': { atol: 2, rtol: 0 } } }, { ab: floats(0) }, { ab: floats(1) }),
  ).toBe(0.5);
  expect(excessOf({ output_keys: ['a'] }, { a: floats(0), b: floats(9) }, { a: floats(0) })).toBe(0);
  expect(excessOf({ atol_scores: 10 }, { scores_f64: floats(0) }, { scores_f64: floats(5) })).toBe(0.5);
});

test('resized bytes may be one level off, rotated images at one pixel in a hundred', () => {
  const exact = { kind: 'pp', tolerance: { atol: 0, rtol: 0 } };
  const [want, near] = [pixels(1, 2, 3), pixels(1, 2, 4)];
  expect(excessOf({ ...exact, args: { pp: 'resize(1)' } }, { image: want }, { image: near })).toBe(1);
  expect(excessOf({ ...exact, args: { pp: 'flip_lr' } }, { image: want }, { image: near })).toBe(Infinity);
  const many = Array.from({ length: 600 }, () => 7);
  const changed = (count: number) => many.map((value, i) => (i < 3 * count ? 200 : value));
  const rotated = { ...exact, name: 'autoaugment:rotate' };
  expect(excessOf(rotated, { image: pixels(...many) }, { image: pixels(...changed(2)) })).toBe(1);
  expect(excessOf(rotated, { image: pixels(...many) }, { image: pixels(...changed(3)) })).toBe(1.5);
  expect(excessOf({ ...rotated, name: 'autoaugment:translate_x' }, { image: pixels(...many) }, { image: pixels(...changed(1)) })).toBe(Infinity); // prettier-ignore
});

test('few-shot predictions may differ where the margin is small', () => {
  const ints = (...values: number[]) => hostArray('int32', [values.length], values);
  const want = { predictions: ints(1, 2, 3), margin: floats(0.5, 0.01, 0.5) };
  const of = (predictions: HostArray) => excessOf({ kind: 'evaluator' }, want, { predictions });
  expect(of(ints(1, 9, 3))).toBe(0);
  expect(of(ints(1, 2, 9))).toBe(Infinity);
  expect(of(ints(1, 2))).toBe(Infinity);
});

test('distributions: boxes and histograms', () => {
  const draws = 500;
  const boxes = (shift: number) =>
    hostArray('float32', [draws, 4], Array.from({ length: 4 * draws }, (_, i) => i % 4 < 2 ? ((i * 7919) % 97) / 97 + shift : 1)); // prettier-ignore
  const dist = { distribution: true };
  expect(excessOf(dist, { boxes: boxes(0), 'mean/area': scalar(1) }, { boxes: boxes(0) })).toBeLessThan(1);
  expect(excessOf(dist, { boxes: boxes(0) }, { boxes: boxes(0.3) })).toBeGreaterThan(1);
  const counts = (...values: number[]) => hostArray('int32', [values.length], values);
  const named = { name: 'mixup:distribution' };
  expect(excessOf(named, { histogram: counts(100, 900) }, { histogram: counts(120, 880) })).toBeLessThan(1);
  expect(excessOf(named, { histogram: counts(100, 900) }, { histogram: counts(300, 700) })).toBeGreaterThan(
    1,
  );
});

test('statistics of initial values', () => {
  const stats = (shape: number[], mean: number, std: number, min: number, max: number, stderr = std / 20) =>
    Object.fromEntries<HostArray>([
      ['shape/a', hostArray('int32', [shape.length], shape)],
      ...Object.entries({ mean, std, min, max, stderr }).map(
        ([name, value]) => [`${name}/a`, scalar(value)] as const,
      ),
    ]);
  const of = (want: Record<string, HostArray>, got: Record<string, HostArray>) => excessOf({ kind: 'init' }, want, got); // prettier-ignore
  const normal = stats([400], 0, 1, -3.5, 3.4);
  expect(of(normal, stats([400], 0.29, 1.1, -3.1, 3.9))).toBeLessThan(1);
  expect(of(normal, stats([400], 0.31, 1, -3, 3))).toBeGreaterThan(1);
  expect(of(normal, stats([400], 0, 1.2, -3, 3))).toBeGreaterThan(1);
  expect(of(normal, stats([20, 20], 0, 1, -3, 3))).toBe(Infinity);
  expect(of(normal, {})).toBe(Infinity);
  expect(of(normal, { ...normal, 'shape/b': hostArray('int32', [1], [1]) })).toBe(Infinity);
  expect(of(stats([3], 1, 0, 1, 1), stats([3], 1, 0, 1, 1))).toBe(0);
  expect(of(stats([3], 1, 0, 1, 1), stats([3], 1, 0.01, 0.99, 1.01))).toBeGreaterThan(1);
  const uniform = stats([2000], 0, 0.577, -1, 1, 0.577 / 50);
  expect(of(uniform, stats([2000], 0, 0.577, -1.01, 1, 0.577 / 50))).toBeLessThan(1);
  expect(of(uniform, stats([2000], 0, 0.577, -1.2, 1, 0.577 / 50))).toBeGreaterThan(1);
});

test('an empty archive is read as no arrays', async () => {
  const { inputs, wanted } = await readCase(await makeCase({ kind: 'model', name: 'vit' }));
  expect(inputs.size).toBe(0);
  expect([...wanted]).toEqual(['output']);
});
