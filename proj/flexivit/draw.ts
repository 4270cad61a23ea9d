// The size of each step.

/** The value at `u` in [0, 1) of the cumulative distribution: `weights` in proportion, or null for all alike. */
export function pick(values: readonly number[], weights: readonly number[] | null, u: number): number {
  const parts = weights ?? values.map(() => 1);
  let left = u * parts.reduce((sum, part) => sum + part, 0);
  const index = parts.findIndex((part) => (left -= part) < 0);
  return values.at(index) as number;
}
