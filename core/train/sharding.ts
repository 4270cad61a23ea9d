// The config's `sharding_strategy`: where each leaf of the train state lives, by its name.

import { parseCallString } from '../call-string';
import type { Container } from '../container';
import { catalogue } from '../errors';
import type { Registry } from '../extensions';
import { checkSpec, type Mesh, type PartitionSpec } from '../mesh';
import type { TensorSpec } from '../runtime';
import { firstMatches, fullMatch } from '../tree';

/** The partition spec of a leaf of the train state: `params/head/kernel`, `opt/mu/head/kernel`. */
export type Shardings = (name: string, spec: TensorSpec) => PartitionSpec;

const errors = catalogue('sharding', {
  pattern: (v: { where: string; pattern: string; problem: string }) => ({
    what: `The pattern "${v.pattern}" in ${v.where} isn't a regular expression: ${v.problem}.`,
    fix: 'escape special characters with a backslash.',
  }),
});

/**
 * Each leaf takes the rules of the first pattern that matches its whole name; they refine a spec that starts as all null.
 * A leaf that no pattern matches is replicated.
 *
 * @throws UserError, when a leaf is asked for, whose message names it and the config's entry.
 */
export function shardingsFrom(
  strategy: readonly (readonly [pattern: string, rules: string])[],
  { registry, container, mesh }: { registry: Registry; container: Container; mesh: Mesh },
): Shardings {
  const patterns = strategy.map(([pattern], i) => {
    try {
      fullMatch(pattern);
    } catch (error) {
      throw errors.pattern({
        where: `sharding_strategy.${i}`,
        pattern,
        problem: (error as Error).message,
      });
    }
    return pattern;
  });
  const rules = strategy.map(([, text], i) =>
    parseCallString(text, registry, 'sharding', `sharding_strategy.${i}`).map(({ name, options, where }) =>
      registry.create(container, 'sharding', name, options, where),
    ),
  );
  return (name, spec) => {
    const [match] = firstMatches([name], patterns) as [number];
    const unsharded: PartitionSpec = spec.shape.map(() => null);
    const sharding = (rules[match] ?? []).reduce(
      (partition, rule) => rule(partition, { name, spec, mesh }),
      unsharded,
    );
    checkSpec(mesh, sharding, spec.shape, `sharding_strategy.${match} for ${name}`);
    return sharding;
  };
}
