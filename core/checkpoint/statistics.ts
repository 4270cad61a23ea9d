// Statistics of an array whose values come one piece after another: nothing is kept of a piece.

import type { Archive } from './archive';
import { NumberDecoder } from './stored';

export interface Statistics {
  /** Of the finite values, as the other three are; null if there are none. */
  readonly min: number | null;
  readonly mean: number | null;
  readonly max: number | null;
  /** Population standard deviation. */
  readonly std: number | null;
  readonly nan: number;
  readonly infinite: number;
}

/** One pass over the values of one array, in any order. */
export async function statisticsOf(archive: Archive, name: string): Promise<Statistics> {
  const { type } = await archive.describe(name);
  const decoder = new NumberDecoder(type);
  const moments = new Moments();
  for await (const bytes of archive.bytes(name)) moments.add(decoder.push(bytes));
  return moments.finish();
}

class Moments {
  private count = 0;
  private mean = 0;
  /** The sum of squared differences from the mean. */
  private squares = 0;
  private min = Infinity;
  private max = -Infinity;
  private nan = 0;
  private infinite = 0;

  /** The moments of a piece by sums about its first value, joined with those before (Chan et al. 1979), so that nothing cancels. */
  add(values: ArrayLike<number>): void {
    let [count, sum, squares, shift] = [0, 0, 0, 0];
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      if (!Number.isFinite(value)) {
        if (Number.isNaN(value)) this.nan++;
        else this.infinite++;
        continue;
      }
      if (count === 0) shift = value;
      if (value < this.min) this.min = value;
      if (value > this.max) this.max = value;
      const difference = value - shift;
      sum += difference;
      squares += difference * difference;
      count++;
    }
    if (count === 0) return;
    const mean = shift + sum / count;
    const total = this.count + count;
    const gap = mean - this.mean;
    this.squares += squares - (sum * sum) / count + (gap * gap * this.count * count) / total;
    this.mean += (gap * count) / total;
    this.count = total;
  }

  finish(): Statistics {
    const { count, mean, min, max, nan, infinite } = this;
    if (count === 0) return { min: null, mean: null, max: null, std: null, nan, infinite };
    return { min, mean, max, std: Math.sqrt(Math.max(0, this.squares) / count), nan, infinite };
  }
}
