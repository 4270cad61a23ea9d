// Runs cases one after the other, on one runtime: what is wrong with one is its verdict, and stops no other.

import { basename } from 'node:path';
import { z } from 'zod';
import { entryOf, type HostArray } from '../array';
import type { Container } from '../container';
import { UserError } from '../errors';
import type { Example, Registry } from '../extensions';
import type { Runtime } from '../runtime';
import { tokens } from '../train/run';
import { nearest } from '../suggest';
import type { CaseInfo, ParityRunner, ParityServices, RecordedCase } from './case';
import type { Difference } from './compare';
import { comparisonFor, kinds } from './kinds';
import { readCase } from './read';

export interface Verdict {
  /** The folder's own name. */
  readonly case: string;
  readonly kind: string;
  readonly name: string;
  readonly passed: boolean;
  /** Why it failed, in one line. */
  readonly reason?: string;
  /** Worst first; none if it could not be run. */
  readonly differences: readonly Difference[];
  readonly seconds: number;
}

/** Gives runners the runtime, the registry, and a source for what evaluators read. */
export function parityServices(
  runtime: Runtime,
  { registry, container }: { readonly registry: Registry; readonly container: Container },
): ParityServices {
  const own = container.child();
  own.provide(tokens.runtime, runtime);
  const served: ReadonlyMap<string, HostArray>[] = [];
  registry.add({
    point: 'data',
    name: 'parity.arrays',
    plugin: 'core',
    implementation: {
      doc: 'The inputs of a recorded case; the first axis is that of examples.',
      options: z.strictObject({ id: z.int() }) as z.ZodObject,
      create: ({ id }) => arraySource(served[id as number] ?? new Map<string, HostArray>()),
    },
  });
  return {
    runtime,
    registry,
    container: own,
    serve: (arrays) => ({ name: 'parity.arrays', id: served.push(arrays) - 1 }),
  };
}

/** Examples along the first axis of arrays. */
export function arraySource(arrays: ReadonlyMap<string, HostArray>) {
  const [first] = arrays.values();
  return {
    size: first?.shape[0] ?? 0,
    get: (index: number): Example =>
      Object.fromEntries([...arrays].map(([name, array]) => [name, entryOf(array, index)])),
  };
}

/** Which runner a case has: a plugin's for its kind and name, the core's for its name or function, or that of its kind. */
function runnerFor({ kind, name }: CaseInfo, { registry, container }: ParityServices): ParityRunner {
  const full = `${kind} ${name}`;
  if (registry.has('parity', full)) return registry.create(container, 'parity', full, {}, full);
  const rules = kinds[kind];
  if (!rules) {
    const near = nearest(kind, Object.keys(kinds));
    throw new Error(`unknown kind "${kind}"${near === undefined ? '' : `; did you mean "${near}"?`}`);
  }
  const after = name.slice(name.lastIndexOf(':') + 1);
  const runner = rules.named?.[name] ?? rules.functions?.[after] ?? rules.run;
  if (!runner)
    throw new Error(`nothing runs the ${kind} "${name}": no plugin registers the parity "${full}"`);
  return runner;
}

/** Never throws. */
export async function runCase(folder: string, services: ParityServices): Promise<Verdict> {
  const start = performance.now();
  let recorded: RecordedCase | undefined;
  const verdict = (differences: readonly Difference[], reason?: string): Verdict => ({
    case: basename(folder),
    kind: recorded?.kind ?? '',
    name: recorded?.name ?? '',
    passed: reason === undefined,
    reason,
    differences,
    seconds: (performance.now() - start) / 1000,
  });
  try {
    recorded = await readCase(folder);
    const got = await runnerFor(recorded, services)(recorded, services);
    const differences = comparisonFor(recorded)(recorded, got);
    // A comparison that can't be made (NaN) fails too.
    const failed = differences.filter(({ excess }) => !(excess <= 1));
    // What keeps no key of an example has none, and neither may ours.
    if (differences.length === 0 && got.size > 0) return verdict(differences, 'it has no outputs to compare');
    const others = failed.length > 1 ? `, and ${failed.length - 1} more of ${differences.length}` : '';
    return verdict(differences, failed[0] && `${failed[0].text}${others}`);
  } catch (error) {
    return verdict([], reasonOf(error));
  }
}

function reasonOf(error: unknown): string {
  const text =
    error instanceof UserError ? error.what : error instanceof Error ? error.message : String(error);
  return text.trim().replace(/\s*\n\s*/g, ' ') || 'it threw without a message';
}
