// Initializers against jax.nn.initializers: those that the random streams and the models of test/golden leave out.

import type { HostArray } from '../../../core/array';
import type { Initializer } from '../../../core/extensions';
import {
  constant,
  heNormal,
  lecunNormal,
  normal,
  ones,
  truncatedNormal,
  varianceScaling,
  xavierUniform,
  zeros,
} from '../../../core/layers/init';
import * as tf from '../../../core/tensor';
import { expectCase, readCase } from '../../support/golden';
import { fetchAll, onRuntimes } from '../../support/runtimes';

onRuntimes((use) => {
  test('golden', async () => {
    const golden = await readCase('ops_initializers');
    const initializers: Record<string, Initializer> = {
      he_normal: heNormal(),
      truncated_normal: truncatedNormal(0.02, -3, 1.5),
      fan_out: varianceScaling({ scale: 0.5, mode: 'fan_out', distribution: 'normal' }),
      fan_geo_avg: varianceScaling({ scale: 2, mode: 'fan_geo_avg', distribution: 'uniform' }),
      axes: lecunNormal({ inAxis: [0, 2], outAxis: 3 }),
      batch_axis: lecunNormal({ batchAxis: [0] }),
    };
    const all = use.runtime.jit(
      (key: tf.Tensor) =>
        Object.fromEntries(
          [...golden.outputs].map(([entry, { shape }]: [string, HostArray]) => {
            const init = initializers[entry.split('/')[0] as string] as Initializer;
            return [entry, init(key, shape)];
          }),
        ),
      { name: 'initializers' },
    );
    const key = use.runtime.toDevice(tf.random.keyArray(tf.random.key(golden.args.seed as number)));
    expectCase(await fetchAll(use.runtime, all(key)), golden);
  });
});

test('ids tell apart what makes other numbers', () => {
  const distinct = [
    zeros,
    ones,
    normal(),
    normal(0.02),
    truncatedNormal(0.02),
    truncatedNormal(0.02, -1),
    lecunNormal(),
    lecunNormal({ inAxis: 0 }),
    lecunNormal({ outAxis: 0 }),
    lecunNormal({ batchAxis: 0 }),
    heNormal(),
    xavierUniform(),
    varianceScaling({ scale: 1, mode: 'fan_avg', distribution: 'normal' }),
  ];
  expect(new Set(distinct.map(({ id }) => id)).size).toBe(distinct.length);
  expect(lecunNormal({ inAxis: [0, 1] }).id).toBe(lecunNormal({ inAxis: [0, 1] }).id);
  expect(zeros.id).toBe(constant(0).id);
});
