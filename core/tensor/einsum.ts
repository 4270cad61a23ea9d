// Contractions of two operands by letters, as numpy.einsum writes them.

/** The letters of an equation, sorted by what happens to them; each list in the order of its operand (batch: of a). */
export interface EinsumPlan {
  readonly a: readonly string[];
  readonly b: readonly string[];
  readonly out: readonly string[];
  /** In both operands and in the result. */
  readonly batch: readonly string[];
  /** In both operands, contracted. */
  readonly contract: readonly string[];
  /** In one operand and in the result. */
  readonly aFree: readonly string[];
  readonly bFree: readonly string[];
  /** In one operand alone, summed before anything else. */
  readonly aSum: readonly string[];
  readonly bSum: readonly string[];
}

const plans = new Map<string, EinsumPlan>();

/** @throws Error if the equation isn't two operands and a result of single letters. */
export function parseEinsum(equation: string): EinsumPlan {
  const known = plans.get(equation);
  if (known) return known;
  const match = /^([a-zA-Z]*),([a-zA-Z]*)->([a-zA-Z]*)$/.exec(equation.replace(/\s/g, ''));
  if (!match)
    throw new Error(
      `einsum: "${equation}" must look like "ij,jk->ik": two operands, letters alone, and "->"`,
    );
  const [a, b, out] = match.slice(1).map((letters) => [...letters]) as [string[], string[], string[]];
  for (const letters of [a, b, out]) {
    if (new Set(letters).size < letters.length) {
      throw new Error(
        `einsum: "${equation}" has a letter twice in "${letters.join('')}" (diagonals aren't supported)`,
      );
    }
  }
  const missing = out.find((letter) => !a.includes(letter) && !b.includes(letter));
  if (missing) throw new Error(`einsum: "${equation}" has "${missing}" in the result but in no operand`);
  const plan: EinsumPlan = {
    a,
    b,
    out,
    batch: a.filter((letter) => b.includes(letter) && out.includes(letter)),
    contract: a.filter((letter) => b.includes(letter) && !out.includes(letter)),
    aFree: a.filter((letter) => !b.includes(letter) && out.includes(letter)),
    bFree: b.filter((letter) => !a.includes(letter) && out.includes(letter)),
    aSum: a.filter((letter) => !b.includes(letter) && !out.includes(letter)),
    bSum: b.filter((letter) => !a.includes(letter) && !out.includes(letter)),
  };
  plans.set(equation, plan);
  return plan;
}

/**
 * The size of each letter.
 * @throws Error if a shape doesn't fit its letters, or the operands disagree.
 */
export function einsumSizes(
  equation: string,
  aShape: readonly number[],
  bShape: readonly number[],
): ReadonlyMap<string, number> {
  const plan = parseEinsum(equation);
  const sizes = new Map<string, number>();
  for (const [letters, shape] of [
    [plan.a, aShape],
    [plan.b, bShape],
  ] as const) {
    if (letters.length !== shape.length) {
      throw new Error(
        `einsum: "${equation}" got an operand of shape [${shape.join(', ')}] for "${letters.join('')}"`,
      );
    }
    letters.forEach((letter, i) => {
      const size = shape[i] as number;
      if ((sizes.get(letter) ?? size) !== size) {
        throw new Error(
          `einsum: "${equation}" got shapes [${aShape.join(', ')}] and [${bShape.join(', ')}], which disagree on "${letter}"`,
        );
      }
      sizes.set(letter, size);
    });
  }
  return sizes;
}
