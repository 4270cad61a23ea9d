// Loops and branches of a program under construction: bodies run on tracers, and become StableHLO regions.

import { engine, type Tensor } from '@tensorflow/tfjs-core';
import type { Regions, Saves, ScanLoop, ScanStep } from '../../core/tensor/regions';
import type { XlaBackend } from './backend';
import { errors } from './errors';
import { asWeak, isWeak } from './kernels';
import { Recorders } from './recorder';
import * as hlo from './stablehlo';
import type { Value } from './stablehlo';
import type { Trace } from './trace';

export function regionsOf(backend: XlaBackend, trace: Trace): Regions {
  const { graph } = trace;
  const valueOf = (tensor: Tensor): Value => trace.valueOf(backend.recordOf(tensor));
  const tensorOf = (value: Value, made: string): Tensor =>
    backend.tensor(value.type, value.shape, { kind: 'traced', trace, value, made });

  /** Runs a body whose tensors end with it, and that nothing outside records. */
  function inRegion<R>(run: () => R): R {
    const { recorders } = trace;
    const { scopeStack } = engine().state;
    const scopes = scopeStack.length;
    trace.recorders = new Recorders();
    engine().startScope('region');
    try {
      return run();
    } finally {
      while (scopeStack.length > scopes) engine().endScope();
      trace.recorders = recorders;
    }
  }

  const given = (values: readonly Value[]) => values.map((value) => tensorOf(value, '(given to a body)'));
  /** Results of a whole region, which an outer function may record. */
  const results = (values: readonly Value[], made: string) =>
    trace.recorders
      .pass({ kernel: 'Region', inputs: {}, attrs: {} }, values)
      .map((value) => tensorOf(value, made));

  const sameTypes = (op: string, before: readonly Value[], after: readonly Value[]) => {
    const i = before.findIndex((value, k) => value.typeText !== after[k]!.typeText);
    if (i < 0) return;
    throw errors.bodyType({
      op,
      index: i,
      before: hlo.describeType(before[i]!),
      after: hlo.describeType(after[i]!),
    });
  };

  return {
    scan({ carry: init, xs, length, reverse, body }: ScanLoop): ScanStep {
      const carry = init.map(valueOf);
      const step = (before: Value[], slices: Value[]) =>
        inRegion(() => {
          const after = body(given(before), given(slices));
          const values = { carry: after.carry.map(valueOf), ys: after.ys.map(valueOf) };
          sameTypes('scan', before, values.carry);
          return values;
        });
      const last = hlo.scanLoop(graph, { carry, xs: xs.map(valueOf), length, reverse, body: step });
      const all = results([...last.carry, ...last.ys], 'made by scan');
      return { carry: all.slice(0, carry.length), ys: all.slice(carry.length) };
    },

    whileLoop(init, condition, body) {
      if (init.length === 0) return [];
      const last = hlo.whileLoop(
        init.map(valueOf),
        (...carry) => inRegion(() => scalarCondition(valueOf(condition(given(carry))))),
        (...carry) =>
          inRegion(() => {
            const after = body(given(carry)).map(valueOf);
            sameTypes('whileLoop', carry, after);
            return after;
          }),
      );
      return results(last, 'made by whileLoop');
    },

    branch(condition, whenTrue, whenFalse) {
      const first: Value[] = [];
      const yes = () => {
        first.push(...inRegion(() => whenTrue().map(valueOf)));
        return first;
      };
      const no = () => {
        const second = inRegion(() => whenFalse().map(valueOf));
        sameTypes('cond', first, second);
        return second;
      };
      return results(hlo.ifElse(scalarCondition(valueOf(condition)), yes, no), 'made by cond');
    },

    record(saves: Saves, run) {
      const [tensors, saved] = trace.recorders.record(saves, run);
      const values = tensors.map(valueOf);
      const passed = trace.recorders.pass({ kernel: 'Region', inputs: {}, attrs: {} }, values);
      return {
        outputs: passed.map((value, i) =>
          value === values[i] ? tensors[i]! : tensorOf(value, 'made again'),
        ),
        saved: saved.map((value) => tensorOf(value, 'saved for the backward pass')),
      };
    },

    replay: (saves, saved, run) => trace.recorders.replay(saves, saved.map(valueOf), run),

    fenced(tensors, run) {
      const records = new Set(tensors.map((tensor) => backend.recordOf(tensor)));
      // Constants of the program cost nothing.
      const fenced = [...records].filter(({ state }) => state.kind !== 'host');
      const before = fenced.map((record) => trace.valueOf(record));
      const after = hlo.optimizationBarrier(before);
      const value = (i: number) => (isWeak(before[i]!) ? asWeak(after[i]!) : after[i]!);
      trace.substitutes.push(new Map(fenced.map((record, i) => [record, value(i)])));
      try {
        return run();
      } finally {
        trace.substitutes.pop();
      }
    },

    hold: (tensors) => tensors.forEach((tensor) => trace.hold(tensor)),
  };
}

const scalarCondition = (condition: Value): Value => hlo.reshape(condition, []);
