import { hostArray, type HostArray } from './array';

/** A class as an example's features: `label`, as public data sets call it, and `labels`, which ops read by default. */
export function labelFeatures(label: number): {
  readonly label: HostArray<'int32'>;
  readonly labels: HostArray<'int32'>;
} {
  const value = hostArray('int32', [], [label]);
  return { label: value, labels: value };
}
