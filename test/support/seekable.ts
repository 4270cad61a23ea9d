// The property that resuming rests on: entering a stream of batches anywhere gives what the whole stream has from there on.

import { createHash } from 'node:crypto';
import { bytesOf, describeSpec } from '../../core/array';
import type { DataSource, Example, Feature } from '../../core/extensions';
import { HostArray } from '../../core/array';
import type { BatchStream, HostBatch, OpenedInput } from '../../core/train/run';

/** Equal batches have equal texts. */
export function batchDigest(batch: HostBatch): string {
  const hash = createHash('sha1');
  for (const name of Object.keys(batch).sort()) {
    const array = batch[name]!;
    hash.update(`${name} ${describeSpec(array)} `).update(bytesOf(array));
  }
  return hash.digest('hex');
}

/** Digests of up to `count` batches; each batch is given back, so that reused memory is part of the test. */
export async function digests(stream: BatchStream, count: number): Promise<string[]> {
  const found: string[] = [];
  try {
    while (found.length < count) {
      const batch = await stream.next();
      if (!batch) break;
      found.push(batchDigest(batch));
      stream.release?.(batch);
    }
  } finally {
    await stream.close();
  }
  return found;
}

/**
 * Checks at every position up to `count` that starting there gives the remaining batches, and returns their digests: equal
 * ones mean equal inputs.
 */
export async function expectSeekable(input: OpenedInput, count: number): Promise<string[]> {
  const whole = await digests(input.batches(0), count);
  expect(whole.length).toBeGreaterThan(0);
  for (let position = 0; position <= whole.length; position++) {
    const rest = await digests(input.batches(position), count - position);
    expect({ position, rest }).toEqual({ position, rest: whole.slice(position) });
  }
  return whole;
}

function featureDigest(value: Feature): string {
  if (value instanceof HostArray) return batchDigest({ value: value as HostArray });
  if (value instanceof Uint8Array) return createHash('sha1').update(value).digest('hex');
  return typeof value === 'object' ? JSON.stringify(Object.entries(value)) : JSON.stringify(value);
}

export function exampleDigest(example: Example): string {
  return Object.keys(example)
    .sort()
    .map((key) => `${key}=${featureDigest(example[key]!)}`)
    .join(' ');
}

/** Checks that examples depend on their index alone: in any order, again, and from another instance. */
export async function expectPure(open: () => DataSource | Promise<DataSource>): Promise<void> {
  const [source, other] = [await open(), await open()];
  const indices = Array.from({ length: Math.min(source.size, 200) }, (_, i) => Math.floor((i * source.size) / Math.min(source.size, 200))); // prettier-ignore
  const forward: string[] = [];
  for (const index of indices) forward.push(exampleDigest(await source.get(index)));
  const backward: string[] = [];
  for (const index of [...indices].reverse()) backward.push(exampleDigest(await source.get(index)));
  const others = await Promise.all(indices.map(async (index) => exampleDigest(await other.get(index))));
  expect(backward.reverse()).toEqual(forward);
  expect(others).toEqual(forward);
}
