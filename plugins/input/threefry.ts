// Threefry-2x32 with 20 rounds (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3"), on the host: two words of
// random bits from a key and a counter. Used for data order and preprocessing, so that nothing has to be remembered.

const rotations = [13, 15, 26, 6, 17, 29, 16, 24] as const;

/** Writes the two words to `out`, as int32. */
export function threefry(
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
  out: Int32Array,
): void {
  const key2 = key0 ^ key1 ^ 0x1bd11bda;
  let x0 = (counter0 + key0) | 0;
  let x1 = (counter1 + key1) | 0;
  for (let round = 0; round < 20; round++) {
    const by = rotations[round & 7] as number;
    x0 = (x0 + x1) | 0;
    x1 = ((x1 << by) | (x1 >>> (32 - by))) ^ x0;
    if ((round & 3) === 3) {
      const injection = (round >> 2) + 1;
      x0 = (x0 + (injection % 3 === 0 ? key0 : injection % 3 === 1 ? key1 : key2)) | 0;
      x1 =
        (x1 + ((injection + 1) % 3 === 0 ? key0 : (injection + 1) % 3 === 1 ? key1 : key2) + injection) | 0;
    }
  }
  out[0] = x0;
  out[1] = x1;
}

/** The high and the low 32 bits of a non-negative safe integer. */
export function wordsOf(value: number): readonly [high: number, low: number] {
  return [Math.floor(value / 2 ** 32) | 0, value | 0];
}
