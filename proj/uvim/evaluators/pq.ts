// Panoptic quality (Kirillov et al., "Panoptic Segmentation", arXiv:1801.00868) as COCO's panopticapi counts it.

/** Pixels of this id belong to no segment. */
const nothing = 0;

export interface Segment {
  readonly id: number;
  readonly category: number;
  /** Pixels. */
  readonly area: number;
  /** Many objects as one: it need not be found, and what is found in it isn't wrong. */
  readonly crowd?: boolean;
}

export interface Panorama {
  /** The segment of each pixel. */
  readonly ids: ArrayLike<number>;
  readonly segments: readonly Segment[];
}

export interface Counts {
  /** Sum of intersection over union of what was found. */
  readonly iou: number;
  readonly found: number;
  /** Predicted, but not there. */
  readonly wrong: number;
  readonly missed: number;
}
const zero: Counts = { iou: 0, found: 0, wrong: 0, missed: 0 };

/** Counts by category. */
export type Tally = ReadonlyMap<number, Counts>;

/** Adds what one image counts. Both panoramas have the same number of pixels. */
export function tally(before: Tally, truth: Panorama, predicted: Panorama): Tally {
  const overlap = overlaps(truth.ids, predicted.ids);
  const common = (truth: number, predicted: number) => overlap.get(truth)?.get(predicted) ?? 0;
  const counts = new Map(before);
  const count = (category: number, more: Partial<Counts>) => {
    const { iou, found, wrong, missed } = counts.get(category) ?? zero;
    counts.set(category, {
      iou: iou + (more.iou ?? 0),
      found: found + (more.found ?? 0),
      wrong: wrong + (more.wrong ?? 0),
      missed: missed + (more.missed ?? 0),
    });
  };

  const matched = new Set<Segment>();
  for (const real of truth.segments) {
    for (const guess of predicted.segments) {
      const shared = common(real.id, guess.id);
      if (shared === 0 || real.crowd || real.category !== guess.category) continue;
      const iou = shared / (guess.area + real.area - shared - common(nothing, guess.id));
      // Above a half, at most one fits.
      if (iou <= 0.5) continue;
      count(real.category, { iou, found: 1 });
      matched.add(real).add(guess);
    }
  }

  const crowds = new Map<number, number>();
  for (const real of truth.segments) {
    if (matched.has(real)) continue;
    if (real.crowd) crowds.set(real.category, real.id);
    else count(real.category, { missed: 1 });
  }
  for (const guess of predicted.segments) {
    if (matched.has(guess)) continue;
    const crowd = crowds.get(guess.category);
    const ignored = common(nothing, guess.id) + (crowd === undefined ? 0 : common(crowd, guess.id));
    if (ignored / guess.area <= 0.5) count(guess.category, { wrong: 1 });
  }
  return counts;
}

/** How many pixels have an id in the truth and one in the prediction. */
function overlaps(truth: ArrayLike<number>, predicted: ArrayLike<number>): Map<number, Map<number, number>> {
  const found = new Map<number, Map<number, number>>();
  for (let i = 0; i < truth.length; i++) {
    const real = truth[i] as number;
    const row = found.get(real) ?? new Map<number, number>();
    found.set(real, row);
    const guess = predicted[i] as number;
    row.set(guess, (row.get(guess) ?? 0) + 1);
  }
  return found;
}

export interface Quality {
  /** Panoptic quality: the product of the other two in each category. */
  readonly pq: number;
  /** How many were found: an F1 score. */
  readonly rq: number;
  /** How well: mean intersection over union of what was found. */
  readonly sq: number;
}

/** Means over those of the categories that have counts; NaN if none has. From 0 to 1. */
export function quality(counts: Tally, categories: readonly number[]): Quality {
  const qualities = categories.flatMap((category) => {
    const { iou, found, wrong, missed } = counts.get(category) ?? zero;
    const all = found + wrong / 2 + missed / 2;
    if (all === 0) return [];
    return [{ pq: iou / all, rq: found / all, sq: found === 0 ? 0 : iou / found }];
  });
  const mean = (key: keyof Quality) => qualities.reduce((sum, each) => sum + each[key], 0) / qualities.length;
  return { pq: mean('pq'), rq: mean('rq'), sq: mean('sq') };
}
