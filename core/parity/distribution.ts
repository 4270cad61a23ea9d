// Whether two samples come from the same distribution, for outputs that are statistics of random draws.

import type { HostArray } from '../array';
import type { ParityOutputs, RecordedCase } from './case';
import { compareOutputs, type Comparison, type Difference, worstFirst, wrong } from './compare';

/**
 * Kolmogorov and Smirnov's test: the largest difference of the distributions of two samples, over what once in 20 000
 * draws is exceeded (Smirnov, Ann. Math. Stat. 19, 1948). Up to 1 passes. `slack`: how far off the values may be.
 */
function kolmogorov(a: readonly number[], b: readonly number[], slack = 0): number {
  const [x, y] = [[...a].sort((p, q) => p - q), [...b].sort((p, q) => p - q)];
  return Math.max(lead(x, y, slack), lead(y, x, slack)) / critical(x.length, y.length);
}

/** By how much more of the sorted values `x` than of `y`, which may be `slack` larger, are below some value. */
function lead(x: readonly number[], y: readonly number[], slack: number): number {
  let [below, most] = [0, 0];
  x.forEach((value, i) => {
    while (below < y.length && (y[below] as number) <= value + slack) below++;
    most = Math.max(most, (i + 1) / x.length - below / y.length);
  });
  return most;
}

const critical = (n: number, m: number) => 2.3 * Math.sqrt(1 / n + 1 / m);

/** The same for counts of values in the same bins. */
function kolmogorovOfCounts(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const sum = (counts: ArrayLike<number>) => Array.from(counts).reduce((x, y) => x + y, 0);
  const [n, m] = [sum(a), sum(b)];
  let [x, y, most] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    x += (a[i] as number) / n;
    y += (b[i] as number) / m;
    most = Math.max(most, Math.abs(x - y));
  }
  return most / critical(n, m);
}

type Box = readonly [y: number, x: number, height: number, width: number];

const boxesOf = ({ shape, data }: HostArray): Box[] =>
  Array.from({ length: shape[0] as number }, (_, i) => Array.from(data.slice(4 * i, 4 * i + 4)) as never);

/** What is told of boxes; constants where the size of what was cropped isn't part of the case don't matter. */
const boxStatistics: Readonly<Record<string, (box: Box) => number>> = {
  area: ([, , h, w]) => h * w,
  // The logarithm, of one more where a box can be empty.
  aspect: ([, , h, w]) => Math.log((w + 1e-6) / (h + 1e-6)),
  center_y: ([y, , h]) => y + h / 2,
  center_x: ([, x, , w]) => x + w / 2,
};

/** Boxes (and with them all statistics of boxes) and histograms by their distributions, other outputs by tolerance. */
export const compareDistributions: Comparison = (recorded, got) => {
  const { boxes, histogram, ...others } = Object.fromEntries(recorded.outputs);
  const rest = boxes ? {} : others;
  return worstFirst([
    ...(boxes ? compareBoxes(boxes, got, /^decode/.test(recorded.name) ? readError : 0) : []),
    ...(histogram ? [compareCounts(histogram, got)] : []),
    ...compareOutputs(withOutputs(recorded, rest), got),
  ]);
};

const withOutputs = (recorded: RecordedCase, outputs: Readonly<Record<string, HostArray>>): RecordedCase => ({
  ...recorded,
  outputs: new Map(Object.entries(outputs)),
});

/** Places that are read from the colours of a decoded JPEG are this far off. */
const readError = 2;

function compareBoxes(want: HostArray, outputs: ParityOutputs, placeError: number): Difference[] {
  const got = outputs.get('boxes');
  if (got === undefined || typeof got === 'string' || got.shape[1] !== 4)
    return [wrong('boxes', 'missing, or not [draws, 4]', 'same distribution')];
  const [ours, theirs] = [boxesOf(got), boxesOf(want)];
  return Object.entries(boxStatistics).map(([name, of]) =>
    ofDistribution(
      `boxes: ${name}`,
      kolmogorov(ours.map(of), theirs.map(of), name.startsWith('center') ? placeError : 0),
    ),
  );
}

function compareCounts(want: HostArray, outputs: ParityOutputs): Difference {
  const got = outputs.get('histogram');
  if (got === undefined || typeof got === 'string' || got.data.length !== want.data.length)
    return wrong('histogram', 'missing, or of other bins', 'same distribution');
  return ofDistribution('histogram', kolmogorovOfCounts(got.data, want.data));
}

const ofDistribution = (entry: string, excess: number): Difference => ({
  entry,
  // Distances of distributions are no errors.
  maxAbs: NaN,
  maxRel: NaN,
  excess,
  allowed: '1 of what the Kolmogorov-Smirnov test allows',
  text: `${entry}: ${excess.toFixed(2)} of the distance that samples of one distribution have once in 20 000 draws`,
});
