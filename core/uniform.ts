/** Two random words as a number, uniform in [0, 1): 53 bits, as many as a double has. */
export const uniformOf = (high: number, low: number): number =>
  ((high >>> 5) * 2 ** 26 + (low >>> 6)) / 2 ** 53;
