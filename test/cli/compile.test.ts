// `bv compile` and `bv profile`.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { findBatch } from '../../core/cli/find-batch';
import { installed } from '../../plugins/xla/install';
import { bv } from '../support/cli';
import { temporaryFolder } from '../support/temporary';

const small = ['--config.model.depth=1', '--config.model.width=16', '--config.input.batch_size=16'];

(installed('cpu') ? describe : describe.skip)('for this machine', () => {
  test('memory, FLOPs, collectives and the verdict, as JSON', async () => {
    const { code, stdout, stderr } = await bv([
      'compile',
      'configs/vit_mnist.ts',
      '--devices',
      '4',
      '--json',
      ...small,
    ]);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const report = JSON.parse(stdout) as Record<string, unknown>;
    expect(report).toMatchObject({
      topology: 'cpu',
      devices: 4,
      batch_size: 16,
      fits: true,
      mesh: [['data', 4]],
    });
    const { parameters, memory, flops, state } = report as {
      parameters: number;
      memory: { arguments: number; outputs: number; aliased: number; peak: number };
      flops: number;
      state: { group: string; params: number; optimizer: number }[];
    };
    const bytes = state.reduce((sum, { params }) => sum + params, 0);
    expect(bytes).toBe(4 * parameters);
    // Adam keeps two numbers for each; the whole state is donated.
    expect(memory.aliased).toBeGreaterThanOrEqual(3 * bytes);
    expect(memory.arguments).toBeGreaterThan(memory.aliased);
    expect(memory.peak).toBeGreaterThan(memory.arguments);
    expect(flops).toBeGreaterThan(6 * 16 * parameters);
  });

  test('a few steps, by phases, and a trace of them', async () => {
    const workdir = temporaryFolder();
    const args = [
      'profile',
      'configs/vit_mnist.ts',
      '--steps',
      '3',
      '--runtime',
      'xla',
      '--workdir',
      workdir,
    ];
    const { code, stdout, stderr } = await bv([...args, ...small]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const phase of ['trace and compile', 'input', 'host to device', 'dispatch', 'device'])
      expect(stdout).toContain(phase);
    expect(stdout).toMatch(/Transformer +[\d.]+ KiB +[\d.]+ KiB/);
    // The CPU plugin can't record its operations, which is said.
    expect(stdout).toMatch(
      /No trace of the devices: the cpu plugin has no Profiler extension \(it has .*Layouts/,
    );
    const trace = JSON.parse(fs.readFileSync(path.join(workdir, 'trace.json'), 'utf8')) as {
      traceEvents: { name: string; ph: string; dur: number }[];
    };
    expect(trace.traceEvents.filter(({ name }) => name === 'device')).toHaveLength(3);
    expect(trace.traceEvents.filter(({ ph }) => ph === 'M')).toHaveLength(2);
  });
});

test('a topology that does not exist', async () => {
  const { code, stderr } = await bv(['compile', 'configs/vit_mnist.ts', '--topology', 'v5f:2x2']);
  expect(code).toBe(2);
  expect(stderr).toContain('Did you mean "v5e:2x2"?');
});

/** Needs `bv runtime install tpu`, but no TPU. */
(installed('tpu') ? test : test.skip)('for a TPU slice that is not there', async () => {
  const args = ['compile', 'configs/vit_mnist.ts', '--topology', 'v5e:2x2', '--json', ...small];
  const { code, stdout } = await bv(args);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    devices: 4,
    deviceKind: 'TPU v5 lite',
    fits: true,
    memory: { arguments: expect.any(Number) as number },
    collectives: [{ kind: 'all-reduce' }],
  });
});

/** A teacher is among what the program is given; where the devices aren't here, its checkpoint needn't be either. */
describe('with a teacher', () => {
  const teacher = (file: string) =>
    JSON.stringify({
      teachers: {
        prof: {
          model_name: 'vit',
          model: { width: 32, depth: 1, num_heads: 4, patch_size: [7, 7] },
          model_init: file,
        },
      },
    });
  const compiled = async (topology: string, file: string) => {
    const args = ['compile', 'configs/proj/flexivit/vit_mnist_flexi.ts', '--topology', topology, '--json'];
    const student = ['--config.input.batch_size=16', '--config.model.depth=1', '--config.model.width=48'];
    const { code, stdout, stderr } = await bv([...args, ...student, `--config.distill=${teacher(file)}`]);
    return { code, stderr, report: code === 0 ? (JSON.parse(stdout) as Record<string, unknown>) : undefined };
  };

  (installed('tpu') ? test : test.skip)('for a TPU slice that is not there', async () => {
    const { code, report } = await compiled('v5e:2x2', 'missing.npz');
    expect(code).toBe(0);
    expect(report).toMatchObject({ devices: 4, fits: true, collectives: [{ kind: 'all-reduce' }] });
    const { memory, state } = report as {
      memory: { arguments: number };
      state: { params: number; optimizer: number }[];
    };
    // The student's numbers are those of the state; the teacher's are arguments beside them.
    const own = state.reduce((sum, { params, optimizer }) => sum + params + optimizer, 0);
    const teacherBytes = 4 * 32 * 50;
    expect(memory.arguments).toBeGreaterThan(own + teacherBytes);
  });

  (installed('cpu') ? test : test.skip)('for this machine the checkpoint has to be there', async () => {
    const { code, stderr } = await compiled('cpu', 'missing.npz');
    expect(code).not.toBe(0);
    expect(stderr).toContain('missing.npz');
  });
});

/** Needs `bv runtime install cuda13` (4 GB), but no GPU. */
(installed('cuda13') ? test : test.skip)('for GPUs that are not there', async () => {
  const args = ['compile', 'configs/vit_mnist.ts', '--topology', 'h100:2x2', '--json', ...small];
  const { code, stdout } = await bv(args);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    devices: 4,
    deviceKind: 'NVIDIA H100 80GB HBM3',
    fits: true,
    memory: { arguments: expect.any(Number) as number },
    memoryLimit: 84_942_979_072,
    collectives: [{ kind: 'all-reduce', devices: 4 }],
  });
});

describe('the largest batch', () => {
  const search = async (start: number, unit: number, limit: number) => {
    const tried: number[] = [];
    const found = await findBatch(start, unit, async (batch_size) => {
      tried.push(batch_size);
      return Promise.resolve({ batch_size, fits: batch_size <= limit });
    });
    return { found, tried };
  };

  test.each([
    [64, 8, 1000],
    [4096, 8, 1000],
    [60, 8, 64],
    [8, 8, 8],
  ])('from %d in steps of %d: the last that fits into %d', async (start, unit, limit) => {
    const { found, tried } = await search(start, unit, limit);
    expect(found).toEqual({ batch_size: Math.floor(limit / unit) * unit, fits: true });
    expect(new Set(tried).size).toBe(tried.length);
  });

  test('none', async () => {
    expect((await search(64, 8, 4)).found).toEqual({ batch_size: 8, fits: false });
  });
});
