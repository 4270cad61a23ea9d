// The cases and recordings of test/golden, read and compared as `bv parity` does.

import { existsSync, readdirSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { HostArray } from '../../core/array';
import type { CaseInfo as RecordedInfo, RecordedCase, Tolerance } from '../../core/parity/case';
import { compareOutputs } from '../../core/parity/compare';
import { readCase as readRecorded, readCaseInfo } from '../../core/parity/read';

export { compareEntry } from '../../core/parity/compare';
export { arraysUnder } from '../../core/parity/read';

export const goldenRoot = resolve(__dirname, '../golden/cases');
/** Recordings that tests alone can judge, in the same form. */
const recordingsRoot = resolve(__dirname, '../golden/recordings');
const roots = [goldenRoot, recordingsRoot];

export interface CaseInfo extends RecordedInfo {
  /** The case's own folder name. */
  readonly folder: string;
}

export interface GoldenCase extends CaseInfo {
  readonly inputs: ReadonlyMap<string, HostArray>;
  readonly outputs: ReadonlyMap<string, HostArray>;
}

/** Where a case or recording lies. */
export const folderOf = (name: string): string =>
  roots.map((root) => join(root, name)).find((path) => existsSync(path)) ?? join(goldenRoot, name);

/** The cases and recordings that `wanted` accepts. Synchronous, so that tests can be made from the list. */
export function goldenCases(wanted: (info: CaseInfo) => boolean): CaseInfo[] {
  return roots
    .flatMap((root) => readdirSync(root).map((folder) => [folder, join(root, folder)] as const))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([folder, path]) => ({ ...readCaseInfo(path), folder }) as CaseInfo)
    .filter(wanted);
}

export async function readCase(name: string): Promise<GoldenCase> {
  const recorded = await readRecorded(folderOf(name));
  return { ...recorded, folder: basename(name) } as GoldenCase;
}

/**
 * Fails unless every output of the case was got within its tolerance; the message lists the worst entries.
 * @returns the largest absolute difference.
 */
export function expectCase(
  got: ReadonlyMap<string, HostArray>,
  golden: GoldenCase,
  widen: Partial<Tolerance> = {},
): number {
  const { folder, outputs, tolerance, tolerances = {} } = golden;
  const special = Object.entries(tolerances).map(([name, own]) => [name, { ...own, ...widen }]);
  const widened = {
    ...golden,
    tolerance: { ...tolerance, ...widen },
    tolerances: Object.fromEntries(special) as Record<string, Tolerance>,
  };
  const differences = compareOutputs(widened as unknown as RecordedCase, got);
  const failed = differences.filter(({ excess }) => !(excess <= 1));
  if (failed.length > 0) {
    const worst = failed.slice(0, 10).map(({ text }) => `  ${text}`);
    throw new Error(`${folder}: ${failed.length} of ${outputs.size} entries differ\n${worst.join('\n')}`);
  }
  return Math.max(0, ...differences.map(({ maxAbs }) => maxAbs));
}
