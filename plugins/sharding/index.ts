// Sharding rules: each refines the partition spec of one leaf of the train state, which starts as all null.

import { z } from 'zod';
import { definePlugin } from '../../core/plugin';
import { fsdp, logicalPartitioning, replicate, shardDim } from './rules';

const axis = z.union([z.string(), z.array(z.string()).min(1)]);

export default definePlugin({
  name: 'sharding',
  version: '0.1.0',
  core: '^0.1.0',
  doc: 'Where the leaves of the train state live.',
  register({ register }) {
    register('sharding', 'replicate', {
      doc: 'Every device holds the whole array: the same as no rule, but said.',
      options: z.strictObject({}),
      create: () => replicate,
    });
    register('sharding', 'fsdp', {
      doc:
        'Splits the largest dimension that divides by the devices of the axis (the last of equal ones) and that no earlier ' +
        'rule has split. Small arrays, and those in which no dimension divides, stay as they are (arXiv:1910.02054).',
      options: z.strictObject({
        axis: axis.describe('mesh axis, or a list of them that together split the dimension'),
        min_size_to_shard_mb: z
          .number()
          .min(0)
          .default(4)
          .describe('arrays of at most so many MiB stay as they are'),
      }),
      positional: ['axis', 'min_size_to_shard_mb'],
      create: fsdp,
    });
    register('sharding', 'shard_dim', {
      doc: 'Splits one dimension: tensor parallelism, as in Megatron (arXiv:1909.08053).',
      options: z.strictObject({
        axis: axis.describe('mesh axis, or a list of them'),
        dim: z.int().describe('dimension to split; negative ones count from the end'),
        ignore_ndim_error: z
          .boolean()
          .default(false)
          .describe('leave arrays that have no such dimension as they are, instead of failing'),
      }),
      positional: ['axis', 'dim', 'ignore_ndim_error'],
      create: shardDim,
    });
    register('sharding', 'logical_partitioning', {
      doc:
        'Names the dimensions, the last name for the last one; the mesh axes that the config gives these names in ' +
        "sharding_rules split them. For instance ('.*/Dense_0/kernel', \"logical_partitioning('embed', 'mlp')\") with " +
        "sharding_rules ('mlp', 'model'). Without names nothing happens.",
      options: z.strictObject({
        names: z
          .array(z.string().nullable())
          .default([])
          .describe('logical name of each dimension, or null for one that is not split'),
      }),
      rest: 'names',
      create: logicalPartitioning,
    });
  },
});
