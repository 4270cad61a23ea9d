// Answers to questions about images that have one true answer, or several by different people.

import { distance } from 'fastest-levenshtein';
import type { Json } from '../../../plugins/evaluators';
import { Mean, type Scorer, textsOf, type Truth } from './answers';

/** How many letters have to be put in, taken out or exchanged. */
function editDistance(a: readonly string[], b: readonly string[]): number {
  const letters = [...new Set([...a, ...b])];
  // Each letter as one unit of UTF-16, which is what the library counts.
  const recoded = (text: readonly string[]) => String.fromCharCode(...text.map((x) => letters.indexOf(x)));
  return distance(recoded(a), recoded(b));
}

/**
 * Average normalized Levenshtein similarity (arXiv:1907.00490) of one answer: 0 where half of it or more is wrong.
 */
export function anls(target: string, prediction: string): number {
  const [a, b] = [[...target], [...prediction]];
  if (a.length === 0) return Number(prediction === '');
  const wrong = editDistance(a, b) / Math.max(a.length, b.length);
  return wrong < 0.5 ? 1 - wrong : 0;
}

export interface VqaOptions {
  readonly to_lower: boolean;
  readonly out_question_key: string;
  readonly out_answer_key: string;
}

/**
 * With `answer` it has to be that. With `answers` it is right that three of them agree with ("acc"), or one ("acc_any").
 * "anls" is that of the nearest. Without either an answer is written, and that is all.
 */
export class Vqa implements Scorer {
  private readonly scores = { acc: new Mean(), acc_any: new Mean(), anls: new Mean() };
  private seen = 0;

  constructor(private readonly options: VqaOptions) {}

  add(prediction: string, truth: Truth): Json {
    const { to_lower, out_question_key, out_answer_key } = this.options;
    const clean = (text: string) => (to_lower ? text.toLowerCase() : text);
    const answer = clean(prediction);
    const several = truth.answer === undefined;
    const gts = (several ? textsOf(truth.answers) : [String(truth.answer)]).map(clean);
    if (gts.length > 0) {
      const matches = gts.filter((gt) => gt === answer).length;
      this.scored(Math.min(1, several ? matches / 3 : matches), Math.min(1, matches), truth);
      this.scores.anls.add(Math.max(...gts.map((gt) => anls(gt, answer))));
    }
    this.seen++;
    return {
      [out_question_key]: truth.question_id ?? null,
      [out_answer_key]: answer,
      ...(gts.length > 0 && { gts }),
    };
  }

  protected scored(acc: number, any: number, _: Truth): void {
    this.scores.acc.add(acc);
    this.scores.acc_any.add(any);
  }

  *metrics(): Iterable<readonly [string, number]> {
    for (const [name, mean] of Object.entries(this.scores)) if (mean.count > 0) yield [name, mean.value];
    yield* this.more();
    yield ['num', this.seen];
  }

  protected *more(): Iterable<readonly [string, number]> {}
}

const questionTypes = ['comp', 'count', 'presence', 'rural_urban', 'area'];
/** Those of the low-resolution and of the high-resolution data set whose answers aren't numbers. */
const withoutNumbers = [
  ['comp', 'presence', 'rural_urban'],
  ['comp', 'presence'],
];

/** Of remote sensing (arXiv:2003.07333): also for each type of question, where examples have `answers`. */
export class Rsvqa extends Vqa {
  private readonly types = new Map(questionTypes.map((type) => [type, new Mean()]));

  protected override scored(acc: number, any: number, truth: Truth): void {
    super.scored(acc, any, truth);
    if (truth.answer === undefined) this.types.get(String(truth.question_type))?.add(any);
  }

  protected override *more(): Iterable<readonly [string, number]> {
    const known = new Map([...this.types].filter(([, { count }]) => count > 0));
    const mean = (types: readonly string[]) =>
      types.reduce((sum, type) => sum + (known.get(type) as Mean).value, 0) / types.length;
    for (const [type, { value }] of known) yield [`acc_${type}`, value];
    if (known.size > 0) yield ['acc_avg', mean([...known.keys()])];
    const subset = withoutNumbers.filter((types) => types.every((type) => known.has(type))).at(-1);
    if (subset) yield ['acc_avg_nonum', mean(subset)];
  }
}
