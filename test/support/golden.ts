// Reads the cases of test/golden (or others of the same form) and compares results with them.

import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { HostArray } from '../../core/array';
import { readNpz } from '../../core/checkpoint/npz';
import { fullMatch, type NestedRecord, nest } from '../../core/tree';

export const goldenRoot = resolve(__dirname, '../golden/cases');

export interface Tolerance {
  readonly atol: number;
  readonly rtol: number;
}

export interface CaseInfo {
  /** The case's own folder name. */
  readonly folder: string;
  readonly kind: string;
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly call?: Readonly<Record<string, unknown>>;
  readonly loss?: string;
  readonly tolerance: Tolerance;
  /** For entries whose whole name matches the regular expression; the first that matches counts. */
  readonly tolerances?: Readonly<Record<string, Tolerance>>;
  readonly note: string;
  readonly [more: string]: unknown;
}

export interface GoldenCase extends CaseInfo {
  readonly inputs: ReadonlyMap<string, HostArray>;
  readonly outputs: ReadonlyMap<string, HostArray>;
}

/** The recorded cases that `wanted` accepts. Synchronous, so that tests can be made from the list. */
export function goldenCases(wanted: (info: CaseInfo) => boolean, root = goldenRoot): CaseInfo[] {
  return readdirSync(root)
    .sort()
    .map((folder) => caseInfo(folder, root))
    .filter(wanted);
}

function caseInfo(folder: string, root: string): CaseInfo {
  const text = readFileSync(join(root, folder, 'case.json'), 'utf8');
  return { ...(JSON.parse(text) as Omit<CaseInfo, 'folder'>), folder } as CaseInfo;
}

export async function readCase(folder: string, root = goldenRoot): Promise<GoldenCase> {
  const [inputs, outputs] = await Promise.all(
    ['inputs', 'outputs'].map((part) => readPart(join(root, folder, `${part}.npz`))),
  );
  return { ...caseInfo(folder, root), inputs, outputs } as GoldenCase;
}

/** Cases without inputs have an archive of nothing: 22 bytes, which `readNpz` takes for a damaged one. */
function readPart(file: string): Promise<Map<string, HostArray>> {
  return statSync(file).size === 22 ? Promise.resolve(new Map<string, HostArray>()) : readNpz(file);
}

/** The tree of the arrays under a prefix: `arraysUnder(inputs, 'params')`. */
export function arraysUnder(arrays: ReadonlyMap<string, HostArray>, prefix: string): NestedRecord<HostArray> {
  const start = `${prefix}/`;
  const found = [...arrays].filter(([name]) => name.startsWith(start));
  return nest(found.map(([name, array]) => [name.slice(start.length), array] as const));
}

export interface Difference {
  readonly entry: string;
  /** Largest |got - want|. */
  readonly maxAbs: number;
  /** Largest of |got - want| / (atol + rtol |want|): up to 1 passes. */
  readonly excess: number;
  /** What is wrong, for people. */
  readonly text: string;
}

/** The difference of one entry; a wrong shape or a NaN in the wrong place is infinitely far off. */
export function compareEntry(
  entry: string,
  got: HostArray | undefined,
  want: HostArray,
  { atol, rtol }: Tolerance,
): Difference {
  const wrong = (text: string) => ({ entry, maxAbs: Infinity, excess: Infinity, text: `${entry}: ${text}` });
  if (!got) return wrong('missing');
  if (got.shape.join() !== want.shape.join())
    return wrong(`shape [${got.shape.join()}], want [${want.shape.join()}]`);
  let maxAbs = 0;
  let excess = 0;
  let at = 0;
  for (let i = 0; i < want.data.length; i++) {
    const g = got.data[i] as number;
    const w = want.data[i] as number;
    if (Object.is(g, w) || g === w) continue;
    const difference = Math.abs(g - w);
    // A NaN or an infinity on one side alone compares as infinitely far.
    const ratio = Number.isFinite(difference) ? difference / (atol + rtol * Math.abs(w)) : Infinity;
    if (ratio > excess) {
      excess = ratio;
      at = i;
    }
    maxAbs = Math.max(maxAbs, Number.isNaN(difference) ? Infinity : difference);
  }
  const text = `${entry}[${at}]: got ${got.data[at]}, want ${want.data[at]} (max |difference| ${maxAbs}, ${excess} of what is allowed)`;
  return { entry, maxAbs, excess, text };
}

/** All differences, worst first. */
export function compareCase(
  got: ReadonlyMap<string, HostArray>,
  want: ReadonlyMap<string, HostArray>,
  toleranceOf: (entry: string) => Tolerance,
): Difference[] {
  return [...want]
    .map(([entry, array]) => compareEntry(entry, got.get(entry), array, toleranceOf(entry)))
    .sort((a, b) => b.excess - a.excess);
}

/**
 * Fails unless every output of the case was got within its tolerance; the message lists the worst entries.
 * @returns the largest absolute difference.
 */
export function expectCase(
  got: ReadonlyMap<string, HostArray>,
  { folder, outputs, tolerance, tolerances = {} }: GoldenCase,
  widen: Partial<Tolerance> = {},
): number {
  const special = Object.entries(tolerances).map(([name, own]) => [fullMatch(name), own] as const);
  const differences = compareCase(got, outputs, (entry) => ({
    ...(special.find(([name]) => name.test(entry))?.[1] ?? tolerance),
    ...widen,
  }));
  const failed = differences.filter(({ excess }) => !(excess <= 1));
  if (failed.length > 0) {
    const worst = failed.slice(0, 10).map(({ text }) => `  ${text}`);
    throw new Error(`${folder}: ${failed.length} of ${outputs.size} entries differ\n${worst.join('\n')}`);
  }
  return Math.max(0, ...differences.map(({ maxAbs }) => maxAbs));
}
