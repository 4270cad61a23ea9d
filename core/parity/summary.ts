// What came of many cases, by kind.

import type { Difference } from './compare';
import type { Verdict } from './run';

export interface KindSummary {
  readonly kind: string;
  readonly cases: number;
  readonly passed: number;
  /** Largest |got - want| of all outputs of the cases that passed. */
  readonly max_abs: number;
  /** Largest |got - want| / |want|. */
  readonly max_rel: number;
  /** Largest error in parts of what its case allows: up to 1 passes. */
  readonly of_allowed: number;
}

/** In the order of the first case of each kind. */
export function summaryOf(verdicts: readonly Verdict[]): KindSummary[] {
  const kinds = [...new Set(verdicts.map(({ kind }) => kind))];
  return kinds.map((kind) => {
    const own = verdicts.filter((verdict) => verdict.kind === kind);
    const passed = own.filter((verdict) => verdict.passed);
    const differences = passed.flatMap((verdict) => verdict.differences);
    return {
      kind: kind || '(unreadable)',
      cases: own.length,
      passed: passed.length,
      max_abs: largest(differences, 'maxAbs'),
      max_rel: largest(differences, 'maxRel'),
      of_allowed: largest(differences, 'excess'),
    };
  });
}

const largest = (differences: readonly Difference[], of: 'maxAbs' | 'maxRel' | 'excess') =>
  differences.reduce((most, { [of]: value }) => (Number.isFinite(value) ? Math.max(most, value) : most), 0);
