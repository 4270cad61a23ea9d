// How large a batch can be.

/** The largest batch that fits: doubling (or halving) from `start`, then bisection over multiples of `unit`. */
export async function findBatch<R extends { readonly fits: boolean }>(
  start: number,
  unit: number,
  tryBatch: (batch_size: number) => Promise<R>,
): Promise<R> {
  let units = Math.max(1, Math.ceil(start / unit));
  let best = await tryBatch(units * unit);
  let tooMany = Infinity;
  while (!best.fits && units > 1) {
    tooMany = units;
    units = Math.floor(units / 2);
    best = await tryBatch(units * unit);
  }
  if (!best.fits) return best;
  while (tooMany === Infinity) {
    const next = await tryBatch(2 * units * unit);
    if (!next.fits) tooMany = 2 * units;
    else {
      units *= 2;
      best = next;
    }
  }
  while (tooMany - units > 1) {
    const middle = Math.floor((units + tooMany) / 2);
    const report = await tryBatch(middle * unit);
    if (!report.fits) tooMany = middle;
    else {
      units = middle;
      best = report;
    }
  }
  return best;
}
