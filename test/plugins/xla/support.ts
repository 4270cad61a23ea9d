// Cases that run on tfjs's cpu backend and, all of them in one program, on XLA; the results must agree.

import '@tensorflow/tfjs-backend-cpu';
import { engine, setBackend, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { type DType, type HostArray, hostArray, sizeOf } from '../../../core/array';
import '../../../core/tensor';
import { registerFallbacks } from '../../../core/tensor/register';
import { type XlaOptions, XlaRuntime } from '../../../plugins/xla';

export type Result = Tensor | readonly Tensor[];

export interface Case {
  readonly name: string;
  readonly inputs: readonly HostArray[];
  readonly run: (...inputs: Tensor[]) => Result;
  /** Of the largest absolute value, and in addition absolutely. */
  readonly tolerance?: number;
  /** Where cpu is wrong or lacks the kernel: the same of other ops. */
  readonly reference?: (...inputs: Tensor[]) => Result;
}

/** A runtime for the tests of a file. */
export function useXla(options: XlaOptions = {}): { readonly runtime: XlaRuntime } {
  const holder: { runtime: XlaRuntime } = { runtime: undefined as unknown as XlaRuntime };
  beforeAll(async () => {
    holder.runtime = await XlaRuntime.create(options);
  });
  afterAll(() => holder.runtime.dispose());
  return holder;
}

/** Distinct values in no order, with both signs: `spread` apart at most from zero. */
export function values(shape: readonly number[], spread = 2, dtype: DType = 'float32'): HostArray {
  const size = sizeOf(shape);
  const data = Array.from({ length: size }, (_, i) => {
    const unit = ((i * 7919 + 13) % 1009) / 1009;
    return dtype === 'float32' ? (2 * unit - 1) * spread : Math.round((2 * unit - 1) * spread);
  });
  return hostArray(dtype, shape, dtype === 'bool' ? data.map((x) => (x > 0 ? 1 : 0)) : data);
}

export const positive = (shape: readonly number[], spread = 2): HostArray =>
  hostArray(
    'float32',
    shape,
    Array.from(values(shape, spread).data, (x) => Math.abs(x) + 0.1),
  );

export const given = (dtype: DType, shape: readonly number[], ...data: number[]): HostArray =>
  hostArray(dtype, shape, data);

interface Outcome {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly values: ArrayLike<number>;
}

const outcome = (x: Tensor): Outcome => ({ shape: x.shape, dtype: x.dtype, values: x.dataSync() });

const listed = (result: Result): readonly Tensor[] => (Array.isArray(result) ? result : [result as Tensor]);

function onCpu({ inputs, run, reference }: Case): Outcome[] {
  const given = inputs.map(({ data, shape, dtype }) =>
    tensor(data as Float32Array, shape as number[], dtype as 'float32' | 'int32' | 'bool'),
  );
  return listed((reference ?? run)(...given)).map(outcome);
}

/** One test for each case. */
export function compareWithCpu(cases: readonly Case[]): void {
  const holder = useXla();
  const found = new Map<string, Outcome[] | Error>();
  const expected = new Map<string, Outcome[] | Error>();

  beforeAll(async () => {
    registerFallbacks('cpu');
    await setBackend('cpu');
    for (const one of cases) {
      expected.set(
        one.name,
        attempt(() => tidied(() => onCpu(one))),
      );
    }
    await setBackend('xla');
    const { runtime } = holder;
    const counts = new Map<string, number>();
    const all = runtime.jit(
      (inputs: Tensor[][]) =>
        cases.flatMap((one, i) => {
          try {
            const results = listed(one.run(...inputs[i]!));
            counts.set(one.name, results.length);
            return results;
          } catch (error) {
            found.set(one.name, error as Error);
            return [];
          }
        }),
      { name: 'cases' },
    );
    const tensors = cases.map(({ inputs }) => inputs.map((input) => runtime.toDevice(input)));
    const results = all(tensors).map(outcome);
    let next = 0;
    for (const { name } of cases) {
      const count = counts.get(name);
      if (count !== undefined) found.set(name, results.slice(next, (next += count)));
    }
  });

  test('names are distinct', () => {
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });

  test.each(cases.map((one) => [one.name, one] as const))('%s', (name, one) => {
    const results = found.get(name)!;
    if (results instanceof Error) throw results;
    const wanted = expected.get(name)!;
    if (wanted instanceof Error) throw wanted;
    expect(results.map(({ shape, dtype }) => ({ shape, dtype }))).toEqual(
      wanted.map(({ shape, dtype }) => ({ shape, dtype })),
    );
    results.forEach((result, i) => expectClose(result.values, wanted[i]!.values, one.tolerance ?? 2e-6));
  });
}

function attempt<T>(f: () => T): T | Error {
  try {
    return f();
  } catch (error) {
    return error as Error;
  }
}

export function expectClose(found: ArrayLike<number>, wanted: ArrayLike<number>, tolerance = 2e-6): void {
  const [a, b] = [Array.from(found), Array.from(wanted)];
  expect(a.length).toBe(b.length);
  const finite = b.filter(Number.isFinite).map(Math.abs);
  const scale = Math.max(1, ...finite);
  const bad = a.findIndex((x, i) => {
    const y = b[i]!;
    if (Object.is(x, y) || x === y) return false;
    return !(Math.abs(x - y) <= tolerance * scale);
  });
  if (bad >= 0) {
    throw new Error(
      `element ${bad} is ${a[bad]}, expected ${b[bad]}; all: ${a.slice(0, 20).join(', ')} and ${b.slice(0, 20).join(', ')}`,
    );
  }
}

/** tfjs's tidy returns tensors alone. */
function tidied<T>(f: () => T): T {
  engine().startScope();
  try {
    return f();
  } finally {
    engine().endScope();
  }
}
