// Sharding rules: each refines the partition spec of one leaf of the train state, which starts as all null.

import { z } from 'zod';
import { catalogue } from '../../core/errors';
import { definePlugin } from '../../core/plugin';

const errors = catalogue('sharding', {
  alreadySharded: (v: { name: string; spec: string }) => ({
    what: `The rule "replicate" was applied to ${v.name}, which an earlier rule has sharded as ${v.spec}.`,
    fix: 'leave "replicate" out of this entry of sharding_strategy, or put it alone.',
  }),
});

export default definePlugin({
  name: 'sharding',
  version: '0.1.0',
  core: '^0.1.0',
  doc: 'Where the leaves of the train state live.',
  register({ register }) {
    register('sharding', 'replicate', {
      doc: 'Every device holds the whole array.',
      options: z.strictObject({}),
      create:
        () =>
        (spec, { name }) => {
          if (spec.some((axes) => axes !== null))
            throw errors.alreadySharded({ name, spec: JSON.stringify(spec) });
          return spec;
        },
    });
  },
});
