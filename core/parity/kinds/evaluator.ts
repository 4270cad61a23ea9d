// Evaluators. Each has inputs and a setting of its own, so their plugins run them; what is common is the comparison.

import type { HostArray } from '../../array';
import { compareOutputs, type Comparison, worstFirst } from '../compare';

/** A prediction may differ where the score that it was chosen by is hardly better than the next. */
const smallMargin = 0.02;

/** As for all kinds; a `margin` is no output of ours, but says which `predictions` count. */
export const compareEvaluator: Comparison = (recorded, got) => {
  const { margin, ...rest } = Object.fromEntries(recorded.outputs);
  if (!margin) return compareOutputs(recorded, got);
  const outputs = new Map(Object.entries(rest));
  const differences = compareOutputs({ ...recorded, outputs }, got);
  const [ours, theirs] = [got.get('predictions'), outputs.get('predictions')];
  if (!theirs || !ours || typeof ours === 'string') return differences;
  return worstFirst(
    differences.map((difference) => {
      if (difference.entry !== 'predictions' || ours.data.length !== theirs.data.length) return difference;
      const wrong = differing(ours, theirs).filter((i) => !((margin.data[i] as number) < smallMargin));
      const text = `predictions: ${wrong.length} differ whose margin isn't under ${smallMargin}`;
      return { ...difference, excess: wrong.length === 0 ? 0 : Infinity, allowed: `margin under ${smallMargin}`, text }; // prettier-ignore
    }),
  );
};

const differing = ({ data: a }: HostArray, { data: b }: HostArray): number[] =>
  Array.from(a).flatMap((value, i) => (value === b[i] ? [] : [i]));
