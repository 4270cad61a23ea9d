// How near a caption is to those that people wrote: CIDEr, BLEU and ROUGE-L as coco-caption computes them.

/** A caption and those that it is compared with, in words. */
export interface Captioned {
  readonly caption: readonly string[];
  readonly references: readonly (readonly string[])[];
}

const orders = 4;
const sum = (values: Iterable<number>) => [...values].reduce((a, b) => a + b, 0);
const mean = (values: readonly number[]) => sum(values) / values.length;

/** How often each n-gram occurs, for each n up to 4. Words have no spaces. */
function ngrams(words: readonly string[]): Map<string, number>[] {
  return Array.from({ length: orders }, (_, n) => {
    const counts = new Map<string, number>();
    for (let i = 0; i + n < words.length; i++) {
      const ngram = words.slice(i, i + n + 1).join(' ');
      counts.set(ngram, (counts.get(ngram) ?? 0) + 1);
    }
    return counts;
  });
}

interface Vector {
  readonly weights: readonly Map<string, number>[];
  readonly norms: readonly number[];
  /** The number of pairs of words. */
  readonly length: number;
}

/** CIDEr-D (arXiv:1411.5726): similarity of n-grams that few images have, 10 at most. */
export function cider(captioned: readonly Captioned[], sigma = 6): number {
  const cooked = captioned.map(({ caption, references }) => ({
    caption: ngrams(caption),
    references: references.map(ngrams),
  }));
  const images = new Map<string, number>();
  for (const { references } of cooked) {
    const found = new Set(references.flatMap((counts) => counts.flatMap((ofOrder) => [...ofOrder.keys()])));
    for (const ngram of found) images.set(ngram, (images.get(ngram) ?? 0) + 1);
  }
  const logImages = Math.log(captioned.length);
  const vectorOf = (counts: readonly Map<string, number>[]): Vector => {
    const rarity = (ngram: string) => logImages - Math.log(Math.max(1, images.get(ngram) ?? 0));
    const weights = counts.map(
      (ofOrder) => new Map([...ofOrder].map(([ngram, count]) => [ngram, count * rarity(ngram)])),
    );
    return {
      weights,
      norms: weights.map((ofOrder) => Math.sqrt(sum([...ofOrder.values()].map((weight) => weight ** 2)))),
      length: sum(counts[1]!.values()),
    };
  };
  const similarity = (a: Vector, b: Vector): number => {
    const penalty = Math.exp(-((a.length - b.length) ** 2) / (2 * sigma ** 2));
    const ofOrder = a.weights.map((weights, n) => {
      const product = sum(
        [...weights].map(([ngram, weight]) => {
          const other = b.weights[n]!.get(ngram) ?? 0;
          return Math.min(weight, other) * other;
        }),
      );
      const norms = a.norms[n]! * b.norms[n]!;
      return (norms === 0 ? product : product / norms) * penalty;
    });
    return mean(ofOrder);
  };
  return mean(
    cooked.map(({ caption, references }) => {
      const own = vectorOf(caption);
      return 10 * mean(references.map((reference) => similarity(own, vectorOf(reference))));
    }),
  );
}

/** BLEU of n-grams up to 1, 2, 3 and 4 words, over all captions; the reference whose length is nearest counts. */
export function bleu(captioned: readonly Captioned[]): number[] {
  const [small, tiny] = [1e-9, 1e-15];
  const correct = new Array<number>(orders).fill(0);
  const guessed = new Array<number>(orders).fill(0);
  let [length, wanted] = [0, 0];
  for (const { caption, references } of captioned) {
    length += caption.length;
    wanted += [...references.map((reference) => reference.length)].sort(
      (a, b) => Math.abs(a - caption.length) - Math.abs(b - caption.length) || a - b,
    )[0] as number;
    const known = references.map(ngrams);
    ngrams(caption).forEach((counts, n) => {
      guessed[n]! += Math.max(0, caption.length - n);
      for (const [ngram, count] of counts)
        correct[n]! += Math.min(count, Math.max(...known.map((ofOrders) => ofOrders[n]!.get(ngram) ?? 0)));
    });
  }
  const ratio = (length + tiny) / (wanted + small);
  const brevity = ratio < 1 ? Math.exp(1 - 1 / ratio) : 1;
  let product = 1;
  return correct.map((count, n) => {
    product *= (count + tiny) / (guessed[n]! + small);
    return product ** (1 / (n + 1)) * brevity;
  });
}

/** ROUGE-L: the longest common subsequence, recall counting more than precision; the mean over captions. */
export function rougeL(captioned: readonly Captioned[], beta = 1.2): number {
  return mean(
    captioned.map(({ caption, references }) => {
      const common = references.map((reference) => longestCommon(caption, reference));
      // An empty text is one word there, which is empty.
      const precision = Math.max(...common) / Math.max(1, caption.length);
      const recall = Math.max(...common.map((n, i) => n / Math.max(1, references[i]!.length)));
      if (precision === 0 || recall === 0) return 0;
      return ((1 + beta ** 2) * precision * recall) / (recall + beta ** 2 * precision);
    }),
  );
}

function longestCommon(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0);
  for (const word of a) {
    const next = [0];
    for (let j = 0; j < b.length; j++)
      next.push(word === b[j] ? row[j]! + 1 : Math.max(row[j + 1]!, next[j]!));
    row = next;
  }
  return row[b.length] as number;
}
