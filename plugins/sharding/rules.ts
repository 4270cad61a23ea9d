// The rules themselves: functions of one leaf's partition spec, name, shape and mesh.

import { bytesPerElement, sizeOf } from '../../core/array';
import { catalogue } from '../../core/errors';
import type { ShardingRule } from '../../core/extensions';
import {
  axesOf,
  checkAxes,
  describeSharding,
  logicalSpec,
  partsOf,
  type PartitionSpec,
} from '../../core/mesh';

type Axis = string | readonly string[];

const errors = catalogue('sharding', {
  alreadySharded: (v: { rule: string; name: string; dim?: number; spec: PartitionSpec }) => ({
    what: `The rule ${v.rule} was applied to ${v.name}, ${v.dim === undefined ? 'which' : `whose dimension ${v.dim}`} an earlier rule has split already: ${describeSharding(v.spec)}.`,
    fix: 'give this entry of sharding_strategy rules for different dimensions, or put an entry for this name before it.',
  }),
  noDimension: (v: { rule: string; name: string; shape: readonly number[] }) => ({
    what: `The rule ${v.rule} was applied to ${v.name} of shape [${v.shape.join(', ')}], which has no such dimension.`,
    fix: `${v.shape.length === 0 ? 'leave it out with a narrower pattern' : `a dimension from ${1 - v.shape.length} to ${v.shape.length - 1}`}; ignore_ndim_error=True leaves such arrays alone.`,
  }),
  tooManyNames: (v: { rule: string; name: string; shape: readonly number[] }) => ({
    what: `The rule ${v.rule} names more dimensions than ${v.name} of shape [${v.shape.join(', ')}] has.`,
    fix: 'give at most one name for each dimension, the last for the last.',
  }),
});

const quote = (axis: Axis) =>
  typeof axis === 'string' ? `'${axis}'` : `[${axis.map((name) => `'${name}'`).join(', ')}]`;

const withDim = (spec: PartitionSpec, dim: number, axis: Axis): PartitionSpec =>
  spec.map((entry, i) => (i === dim ? axis : entry));

export const replicate: ShardingRule = (spec, { name }) => {
  if (spec.some((entry) => entry !== null)) throw errors.alreadySharded({ rule: 'replicate', name, spec });
  return spec;
};

export function fsdp({
  axis,
  min_size_to_shard_mb,
}: {
  readonly axis: Axis;
  readonly min_size_to_shard_mb: number;
}): ShardingRule {
  return (spec, { name, spec: { dtype, shape }, mesh }) => {
    checkAxes(mesh, axesOf(axis), `The rule fsdp(${quote(axis)}) for ${name}`);
    if (sizeOf(shape) * bytesPerElement(dtype) <= min_size_to_shard_mb * 2 ** 20) return spec;
    const parts = partsOf(mesh, axesOf(axis));
    const [largest] = shape
      .map((size, dim) => ({ size, dim }))
      .filter(({ size, dim }) => size % parts === 0 && spec[dim] === null)
      .sort((a, b) => b.size - a.size || b.dim - a.dim);
    return largest ? withDim(spec, largest.dim, axis) : spec;
  };
}

export function shardDim({
  axis,
  dim,
  ignore_ndim_error,
}: {
  readonly axis: Axis;
  readonly dim: number;
  readonly ignore_ndim_error: boolean;
}): ShardingRule {
  const rule = `shard_dim(${quote(axis)}, ${dim})`;
  return (spec, { name, spec: { shape }, mesh }) => {
    checkAxes(mesh, axesOf(axis), `The rule ${rule} for ${name}`);
    // The original counts -rank among the dimensions that aren't there.
    if (Math.abs(dim) >= shape.length) {
      if (ignore_ndim_error) return spec;
      throw errors.noDimension({ rule, name, shape });
    }
    const place = dim < 0 ? dim + shape.length : dim;
    if (spec[place] !== null) throw errors.alreadySharded({ rule, name, dim: place, spec });
    return withDim(spec, place, axis);
  };
}

export function logicalPartitioning({ names }: { readonly names: readonly (string | null)[] }): ShardingRule {
  const rule = `logical_partitioning(${names.map((name) => (name === null ? 'None' : quote(name))).join(', ')})`;
  return (spec, { name, spec: { shape }, mesh }) => {
    if (names.length > shape.length) throw errors.tooManyNames({ rule, name, shape });
    // A stack of layers has an axis more in front.
    const start = shape.length - names.length;
    return logicalSpec(mesh, names).reduce<PartitionSpec>((result, axes, i) => {
      const dim = start + i;
      if (axes === null) return result;
      if (spec[dim] !== null) throw errors.alreadySharded({ rule, name, dim, spec });
      return withDim(result, dim, axes);
    }, spec);
  };
}
