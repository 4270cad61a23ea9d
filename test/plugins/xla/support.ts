// Cases that run on tfjs's cpu backend and, all of them in one program, on XLA; the results must agree.

import '../../support/cpu-backend';
import { engine, setBackend, type Tensor, tensor } from '@tensorflow/tfjs-core';
import { type DType, type HostArray, hostArray, sizeOf } from '../../../core/array';
import '../../../core/tensor';
import { registerFallbacks } from '../../../core/tensor/register';
import { gradientsOf, offKinks, saysNoGradient, slopeError, stepped } from './gradient-support';
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
  /** Where the gradients are compared; at the inputs, moved off kinks, otherwise. */
  readonly at?: readonly HostArray[];
  /** Where there is none for these inputs, or cpu's is wrong. */
  readonly gradient?: 'none' | 'wrong on cpu';
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

/** The results of a case, or what it threw. */
type Answer = readonly Outcome[] | Error;
type Answers = Map<string, Answer>;

const outcome = (x: Tensor): Outcome => ({ shape: x.shape, dtype: x.dtype, values: x.dataSync() });

const listed = (result: Result): readonly Tensor[] => (Array.isArray(result) ? result : [result as Tensor]);

function onCpu(inputs: readonly HostArray[], run: Case['run']): Answer {
  const given = () =>
    inputs.map(({ data, shape, dtype }) =>
      tensor(data as Float32Array, shape as number[], dtype as 'float32' | 'int32' | 'bool'),
    );
  return attempt(() => tidied(() => listed(run(...given())).map(outcome)));
}

/** Traces all cases into one program; what it returns runs it with other inputs, and notes each case's answer. */
function inOneProgram(
  runtime: XlaRuntime,
  cases: readonly Case[],
  run: (one: Case, inputs: readonly Tensor[]) => Result,
) {
  const counts = new Map<string, number | Error>();
  const all = runtime.jit(
    (inputs: Tensor[][]) =>
      cases.flatMap((one, i) => {
        const results = attempt(() => listed(run(one, inputs[i]!)));
        counts.set(one.name, results instanceof Error ? results : results.length);
        return results instanceof Error ? [] : results;
      }),
    { name: 'cases' },
  );
  return (inputsOf: (one: Case) => readonly HostArray[], answers: Answers): void => {
    const results = all(cases.map((one) => inputsOf(one).map((input) => runtime.toDevice(input)))).map(
      outcome,
    );
    for (const { name } of cases) {
      const count = counts.get(name)!;
      answers.set(name, count instanceof Error ? count : results.splice(0, count));
    }
  };
}

function answered(answer: Answer): readonly Outcome[] {
  if (answer instanceof Error) throw answer;
  return answer;
}

function expectSame(found: Answer, wanted: Answer, tolerance?: number): void {
  const type = ({ shape, dtype }: Outcome) => ({ shape, dtype });
  expect(answered(found).map(type)).toEqual(answered(wanted).map(type));
  answered(found).forEach(({ values }, i) => expectClose(values, answered(wanted)[i]!.values, tolerance));
}

/** One test for each case: its results, and its gradients. */
export function compareWithCpu(cases: readonly Case[]): void {
  const holder = useXla();
  const answers = (): Answers => new Map();
  const found = { cpu: answers(), xla: answers(), cpuGradients: answers(), xlaGradients: answers() };
  const sides = { after: answers(), before: answers() };
  const kinkless = new Map(cases.map(({ name, inputs, at }) => [name, at ?? offKinks(inputs)]));

  beforeAll(async () => {
    registerFallbacks('cpu');
    await setBackend('cpu');
    for (const one of cases) {
      const run = one.reference ?? one.run;
      found.cpu.set(one.name, onCpu(one.inputs, run));
      const gradients = (...inputs: Tensor[]) => gradientsOf(run, inputs);
      found.cpuGradients.set(one.name, onCpu(kinkless.get(one.name)!, gradients));
    }
    await setBackend('xla');
    const values = inOneProgram(holder.runtime, cases, ({ run }, inputs) => run(...inputs));
    const gradients = inOneProgram(holder.runtime, cases, ({ run }, inputs) => gradientsOf(run, inputs));
    values(({ inputs }) => inputs, found.xla);
    gradients(({ name }) => kinkless.get(name)!, found.xlaGradients);
    values(({ name }) => stepped(kinkless.get(name)!, 1), sides.after);
    values(({ name }) => stepped(kinkless.get(name)!, -1), sides.before);
  });

  test('names are distinct', () => {
    expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length);
  });

  test.each(cases.map((one) => [one.name, one] as const))('%s', (name, one) => {
    expectSame(found.xla.get(name)!, found.cpu.get(name)!, one.tolerance);
    const gradients = found.xlaGradients.get(name)!;
    if (gradients instanceof Error && (one.gradient === 'none' || saysNoGradient(gradients))) return;
    if (one.gradient !== 'wrong on cpu') expectSame(gradients, found.cpuGradients.get(name)!, 2e-5);
    const [after, before] = [sides.after.get(name)!, sides.before.get(name)!].map(answered);
    const error = slopeError(kinkless.get(name)!, answered(gradients), after!, before!);
    expect(error).toBeLessThan(2e-3);
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
