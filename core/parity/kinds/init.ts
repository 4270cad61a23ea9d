// Initial parameters: their statistics over many seeds (kind `init`), or every number for one (kind `init_exact`).

import { type HostArray, hostArray, sizeOf } from '../../array';
import type { Batch } from '../../extensions';
import { constant } from '../../layers/init';
import { initParams } from '../../layers/params';
import { initKeys, initValue, type ParamDeclaration, Scope } from '../../layers/scope';
import { type Runtime, TensorSpec } from '../../runtime';
import * as tf from '../../tensor';
import type { ParityCase, ParityRunner, ParityServices } from '../case';
import { compareOutputs, type Comparison, type Difference, worstFirst, wrong } from '../compare';
import { fetchAll, registeredName } from '../tensors';

function declare(
  { name, args, call, inputs }: ParityCase,
  { runtime, registry, container }: ParityServices,
): ParamDeclaration[] {
  const model = registry.create(container, 'model', registeredName(name), args, 'args');
  const specs = Object.fromEntries(
    [...inputs].map(([name, { dtype, shape }]) => [name, new TensorSpec(dtype, shape)]),
  );
  const declared: ParamDeclaration[] = [];
  const evaluate = (batch: Batch) =>
    model.apply(Scope.declaring(declared), batch, { ...call?.kwargs, train: false }).output;
  runtime.evalShape(evaluate, specs);
  return declared;
}

// ---- Statistics ----------------------------------------------------------------------------------------------------------

const defaultSeeds = 40;

/** `shape/`, `mean/`, `std/`, `min/`, `max/` of every parameter, pooled over as many seeds as the note says. */
export const initRunner: ParityRunner = async (recorded, services) => {
  const seeds = Number(/(\d+) seeds/.exec(recorded.note ?? '')?.[1] ?? defaultSeeds);
  const found = new Map<string, HostArray>();
  for (const declaration of declare(recorded, services)) {
    const { name, spec } = declaration;
    found.set(`shape/${name}`, hostArray('int32', [spec.shape.length], spec.shape));
    const pooled = await valuesOf(declaration, seeds, services.runtime);
    for (const [statistic, value] of Object.entries(statisticsOf(pooled)))
      found.set(`${statistic}/${name}`, hostArray('float32', [], [value]));
  }
  return found;
};

/** Programs are shared by the parameters of all cases that are made alike. */
const programs = new WeakMap<Runtime, Map<string, (keys: tf.Tensor) => tf.Tensor>>();

async function valuesOf(declaration: ParamDeclaration, seeds: number, runtime: Runtime): Promise<number[]> {
  const { init, spec, layers } = declaration;
  const known = programs.get(runtime) ?? new Map<string, (keys: tf.Tensor) => tf.Tensor>();
  programs.set(runtime, known);
  const id = JSON.stringify([init.id, spec.dtype, spec.shape, layers]);
  const make = (keys: tf.Tensor) => tf.castStorage(initValue(declaration, keys), 'float32');
  const program = known.get(id) ?? runtime.jit(make, { name: `init ${init.id}` });
  known.set(id, program);
  const values: number[] = [];
  for (let seed = 0; seed < seeds; seed++) {
    const words = initKeys(declaration, tf.random.key(seed)).flatMap((key) => [
      ...tf.random.keyArray(key).data,
    ]);
    const keys = runtime.toDevice(hostArray('int32', [words.length / 2, 2], words));
    const value = program(keys);
    for (const number of (await runtime.toHost(value)).data) values.push(number);
    tf.dispose([keys, value]);
  }
  return values;
}

function statisticsOf(values: readonly number[]) {
  let [sum, min, max] = [0, Infinity, -Infinity];
  for (const value of values) {
    sum += value;
    min = Math.min(min, value);
    max = Math.max(max, value);
  }
  const mean = sum / values.length;
  const variance = values.reduce((total, value) => total + (value - mean) ** 2, 0) / values.length;
  return { mean, std: Math.sqrt(variance), min, max };
}

const statistics = ['shape', 'mean', 'std', 'min', 'max', 'stderr'];

/**
 * Shapes equal, means within 6 standard errors, deviations within 5 % (or 3/sqrt(N)), constants exact, bounds of what is
 * bounded kept, and no parameter too many. Cases without statistics are compared by their tolerance.
 */
export const compareInit: Comparison = (recorded, got) => {
  const { outputs } = recorded;
  const namesIn = (entries: Iterable<string>) =>
    [...entries].filter((entry) => entry.startsWith('shape/')).map((entry) => entry.slice('shape/'.length));
  const names = namesIn(outputs.keys());
  if (names.length === 0) return compareOutputs(recorded, got);
  const expected = new Set(names);
  const numberOf = (arrays: ReadonlyMap<string, HostArray | string>, entry: string) =>
    Number((arrays.get(entry) as HostArray | undefined)?.data[0] ?? NaN);
  const compare = (name: string): Difference[] => {
    const shape = outputs.get(`shape/${name}`) as HostArray;
    const ourShape = got.get(`shape/${name}`) as HostArray | undefined;
    if (!ourShape) return [wrong(`shape/${name}`, 'there is no such parameter')];
    if (ourShape.data.join() !== shape.data.join())
      return [wrong(`shape/${name}`, `[${ourShape.data.join()}], want [${shape.data.join()}]`)];
    const of = (arrays: ReadonlyMap<string, HostArray | string>) =>
      Object.fromEntries(
        statistics.map((entry) => [entry, numberOf(arrays, `${entry}/${name}`)]),
      ) as Recorded;
    return compareStatistics(name, of(got), of(outputs), sizeOf(Array.from(shape.data)));
  };
  return worstFirst([
    ...names.flatMap(compare),
    ...namesIn(got.keys())
      .filter((name) => !expected.has(name))
      .map((name) => wrong(`shape/${name}`, 'the original has no such parameter')),
  ]);
};

type Recorded = Readonly<Record<'mean' | 'std' | 'min' | 'max' | 'stderr', number>>;

/** How far beyond what was seen of bounded values others may be, as a part of their range. */
const slack = 0.02;
/** Values whose range is this many deviations are bounded, where there are many: of normal numbers it is larger. */
const boundedRange = 5;

function compareStatistics(name: string, got: Recorded, want: Recorded, size: number): Difference[] {
  const within = (
    statistic: keyof Recorded,
    distance: number,
    limit: number,
    allowed: string,
  ): Difference => {
    const excess = Number.isFinite(distance) ? (distance <= limit ? distance / (limit || 1) : distance / limit) : Infinity; // prettier-ignore
    const entry = `${statistic}/${name}`;
    const text = `${entry}: got ${got[statistic]}, want ${want[statistic]}`;
    const far = Math.abs(got[statistic] - want[statistic]);
    return { entry, maxAbs: far, maxRel: far / Math.abs(want[statistic] || 1), excess, allowed, text };
  };
  const off = (statistic: keyof Recorded) => Math.abs(got[statistic] - want[statistic]);
  if (want.std <= 1e-6 * Math.abs(want.mean)) {
    const rounding = 1e-6 * Math.abs(want.mean);
    return (['mean', 'std', 'min', 'max'] as const).map((statistic) =>
      within(statistic, off(statistic), rounding, 'exact'),
    );
  }
  const count = Math.max((want.std / want.stderr) ** 2, size);
  const deviation = Math.max(0.05, 3 / Math.sqrt(count)) * want.std;
  const range = want.max - want.min;
  const bounded = count >= 1000 && range < boundedRange * want.std;
  const beyond = Math.max(want.min - got.min, got.max - want.max, 0);
  return [
    within('mean', off('mean'), 6 * want.stderr, '6 standard errors'),
    within('std', off('std'), deviation, '5 % or 3/sqrt(N)'),
    ...(bounded ? [within('max', beyond, slack * range, 'bounds')] : []),
  ];
}

// ---- Every number --------------------------------------------------------------------------------------------------------

interface ExactCall {
  readonly seed: number;
  /** The key is split first, as train.py does, and what is left of it recorded as `rng_loop`. */
  readonly train?: boolean;
  readonly init_head_bias?: number | null;
}

export const initExactRunner: ParityRunner = async (recorded, services) => {
  const { seed, train, init_head_bias } = recorded.call as unknown as ExactCall;
  const found = new Map<string, HostArray>();
  let key = tf.random.key(seed);
  if (train) {
    const [rest, init] = tf.random.split(key) as [tf.random.HostKey, tf.random.HostKey];
    key = init;
    found.set('rng_loop', tf.random.keyArray(tf.random.split(rest)[1] as tf.random.HostKey));
  }
  const declared = declare(recorded, services).map((declaration) =>
    typeof init_head_bias === 'number' && declaration.name === 'head/bias'
      ? { ...declaration, fold: declaration.fold, init: constant(init_head_bias) }
      : declaration,
  );
  const streams = new Map(declared.map(({ name, stream }) => [name, stream]));
  const made = initParams(services.runtime, declared, key);
  for (const [name, array] of await fetchAll(services.runtime, made))
    found.set(`${streams.get(name)}/${name}`, array);
  return found;
};
