/** To the nearest integer, of two the even one: as C's `lrint`, Python's `round`, NumPy and TensorFlow do. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}
