// The plugin `record`: keeps what a run started from and trained on, so that the original can do the same.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { type HostArray, hostArray } from '../../core/array';
import { saveNpz } from '../../core/checkpoint/npz';
import type { DataSource } from '../../core/extensions';
import { definePlugin, z } from '../../core';
import type { NestedRecord } from '../../core/tree';
import { mnist, readDigits } from '../../plugins/data-mnist';

export default definePlugin({
  name: 'record',
  version: '0.1.0',
  core: '^0.1.0',
  doc: "Writes a run's initial parameters, its batches and the test images as .npz files.",
  options: z.strictObject({ folder: z.string().describe('where init.npz, train.npz and test.npz go') }),

  apply(hooks, { folder }) {
    const images: HostArray[] = [];
    const labels: HostArray[] = [];
    hooks.init.tapPromise('record', async (params) => {
      fs.mkdirSync(folder, { recursive: true });
      await saveNpz(path.join(folder, 'init.npz'), { params } as NestedRecord<HostArray>);
      await saveNpz(path.join(folder, 'test.npz'), testSet());
      return params;
    });
    hooks.data.tap('record', (batch) => {
      images.push(batch.image as HostArray);
      labels.push(batch.labels as HostArray);
      return batch;
    });
    hooks.done.tapPromise('record', async () => {
      await saveNpz(path.join(folder, 'train.npz'), { image: joined(images), labels: joined(labels) });
    });
  },
});

/** Batches as one array of examples. */
function joined(batches: readonly HostArray[]): HostArray {
  const { shape } = batches[0] as HostArray;
  const size = (batches[0] as HostArray).data.length;
  const data = new Float32Array(size * batches.length);
  batches.forEach((batch, i) => data.set(batch.data as Float32Array, i * size));
  return hostArray('float32', [batches.length * (shape[0] as number), ...shape.slice(1)], data);
}

/** Images uint8 [n, 28, 28, 1] and labels int32 [n]. */
function testSet(): NestedRecord<HostArray> {
  const source: DataSource = mnist('test', readDigits());
  const examples = Array.from({ length: source.size }, (_, i) => source.get(i) as Record<string, HostArray>);
  const all = (name: string) => examples.flatMap((example) => [...(example[name] as HostArray).data]);
  return {
    image: hostArray('uint8', [source.size, 28, 28, 1], all('image')),
    label: hostArray('int32', [source.size], all('label')),
  };
}
