// Differences between what was recorded and what we got.

import { isDeepStrictEqual } from 'node:util';
import type { HostArray } from '../array';
import { fullMatch, isDict } from '../tree';
import type { CaseInfo, ParityOutputs, RecordedCase, Tolerance } from './case';

export interface Difference {
  readonly entry: string;
  /** Largest |got - want|; infinite where shapes differ, or where one side alone is NaN. */
  readonly maxAbs: number;
  /** Largest |got - want| / |want|, over values that aren't zero. */
  readonly maxRel: number;
  /** How far off for what is allowed: up to 1 passes. */
  readonly excess: number;
  /** What was allowed, for people. */
  readonly allowed: string;
  /** What is wrong, for people. */
  readonly text: string;
}

/** All differences of a case, worst first. */
export type Comparison = (recorded: RecordedCase, got: ParityOutputs) => Difference[];

export const worstFirst = (differences: readonly Difference[]): Difference[] =>
  [...differences].sort((a, b) => b.excess - a.excess);

/** Every recorded output that counts, each within its tolerance. */
export const compareOutputs: Comparison = (recorded, got) =>
  worstFirst(
    countedOutputs(recorded).map(([entry, want]) =>
      compareEntry(entry, got.get(entry), want, toleranceOf(recorded, entry)),
    ),
  );

export function countedOutputs({ outputs, output_keys }: RecordedCase): [string, HostArray][] {
  return [...outputs].filter(([entry]) => output_keys?.includes(entry) ?? true);
}

export function toleranceOf({ tolerance, tolerances = {}, atol_scores }: CaseInfo, entry: string): Tolerance {
  const special = Object.entries(tolerances).find(([name]) => fullMatch(name).test(entry))?.[1];
  if (special) return special;
  if (atol_scores !== undefined && /^scores?(_|$)/.test(entry)) return { ...tolerance, atol: atol_scores };
  return tolerance;
}

const allowedText = ({ atol, rtol }: Tolerance) => `atol ${atol}, rtol ${rtol}`;

/** A difference that no tolerance allows. */
export function wrong(entry: string, text: string, allowed = 'exact'): Difference {
  return {
    entry,
    maxAbs: Infinity,
    maxRel: Infinity,
    excess: Infinity,
    allowed,
    text: `${entry}: ${text}`,
  };
}

/** The difference of one entry; arrays of any types are compared by their values. */
export function compareEntry(
  entry: string,
  got: HostArray | string | undefined,
  want: HostArray,
  tolerance: Tolerance,
): Difference {
  const allowed = allowedText(tolerance);
  if (got === undefined) return wrong(entry, 'missing', allowed);
  if (typeof got === 'string') return compareText(entry, got, want);
  if (got.shape.join() !== want.shape.join())
    return wrong(entry, `shape [${got.shape.join()}], want [${want.shape.join()}]`, allowed);
  const { maxAbs, maxRel, excess, at } = farthest(got, want, tolerance);
  const text = `${entry}[${at}]: got ${got.data[at]}, want ${want.data[at]} (max |difference| ${maxAbs}, ${excess} of what is allowed)`;
  return { entry, maxAbs, maxRel, excess, allowed, text };
}

function farthest({ data: got }: HostArray, { data: want }: HostArray, { atol, rtol }: Tolerance) {
  let [maxAbs, maxRel, excess, at] = [0, 0, 0, 0];
  for (let i = 0; i < want.length; i++) {
    const g = got[i] as number;
    const w = want[i] as number;
    if (Object.is(g, w) || g === w) continue;
    const difference = Math.abs(g - w);
    // A NaN or an infinity on one side alone compares as infinitely far.
    const far = Number.isFinite(difference) ? difference : Infinity;
    const ratio = Number.isFinite(far) ? far / (atol + rtol * Math.abs(w)) : Infinity;
    if (ratio > excess) [excess, at] = [ratio, i];
    maxAbs = Math.max(maxAbs, far);
    if (w !== 0) maxRel = Math.max(maxRel, far / Math.abs(w));
  }
  return { maxAbs, maxRel, excess, at };
}

export const textOf = ({ data }: HostArray): string => Buffer.from(data as Uint8Array).toString('utf8');

/** Text has to be the same, or the same value where both are JSON; of an error it counts that it is one. */
function compareText(entry: string, got: string, want: HostArray): Difference {
  const expected = textOf(want);
  if (got === expected || sameJson(got, expected))
    return { entry, maxAbs: 0, maxRel: 0, excess: 0, allowed: 'exact', text: `${entry}: equal` };
  const at = [...got].findIndex((_, i) => got[i] !== expected[i]);
  const from = Math.max(0, (at < 0 ? got.length : at) - 20);
  const part = (text: string) => JSON.stringify(text.slice(from, from + 60));
  return wrong(entry, `got ${part(got)} at ${from}, want ${part(expected)}`);
}

const wordless = (_key: string, value: unknown) => (isDict(value) && 'error' in value ? 'error' : value);

function sameJson(a: string, b: string): boolean {
  try {
    return isDeepStrictEqual(JSON.parse(a, wordless), JSON.parse(b, wordless));
  } catch {
    return false;
  }
}
