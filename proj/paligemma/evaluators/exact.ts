// Answers that have to be the one that is given, up to what each data set lets pass.

import { type Json } from '../../../plugins/evaluators';
import { Mean, type Scorer, type Truth } from './answers';

/** ChartQA (arXiv:2203.10244): "acc", and "relaxed_acc", where numbers may be off by 5 %. */
export class ChartQa implements Scorer {
  private readonly acc = new Mean();
  private readonly relaxed = new Mean();

  constructor(
    private readonly options: {
      readonly to_lower: boolean;
      readonly out_question_key: string;
      readonly out_answer_key: string;
    },
  ) {}

  add(prediction: string, truth: Truth): Json {
    const { to_lower, out_question_key, out_answer_key } = this.options;
    const clean = (text: string) => (to_lower ? text.toLowerCase() : text);
    const [answer, gt] = [clean(prediction), clean(String(truth.answer))];
    const relaxed_match = nearlyEqual(gt, answer);
    this.acc.add(Number(answer === gt));
    this.relaxed.add(Number(relaxed_match));
    return { [out_question_key]: truth.question_id ?? null, [out_answer_key]: answer, gt, relaxed_match };
  }

  *metrics(): Iterable<readonly [string, number]> {
    yield ['acc', this.acc.value];
    yield ['relaxed_acc', this.relaxed.value];
    yield ['num', this.acc.count];
  }
}

/** Numbers that differ by 5 % of the target at most, unless that is 0; other texts if they are the same. */
export function nearlyEqual(target: string, prediction: string): boolean {
  const [wanted, found] = [numberOf(target), numberOf(prediction)];
  if (found === undefined || !wanted) return prediction === target;
  return Math.abs(found - wanted) / Math.abs(wanted) <= 0.05;
}

/** As Python reads numbers; a percentage is a hundredth. */
function numberOf(text: string): number | undefined {
  if (text.endsWith('%')) {
    const part = numberOf(text.replace(/%+$/, ''));
    return part === undefined ? undefined : part / 100;
  }
  const plain = text.trim().replace(/(?<=\d)_(?=\d)/g, '');
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return Number(plain);
  if (/^[+-]?inf(inity)?$/i.test(plain)) return plain.startsWith('-') ? -Infinity : Infinity;
  return /^[+-]?nan$/i.test(plain) ? NaN : undefined;
}

/** POPE (arXiv:2305.10355): "acc", and how many answers are yes or no. */
export class Pope implements Scorer {
  private readonly acc = new Mean();
  private readonly valid = new Mean();

  constructor(
    private readonly options: { readonly out_question_key: string; readonly out_answer_key: string },
  ) {}

  add(prediction: string, truth: Truth): Json {
    const answer = prediction.toLowerCase();
    this.acc.add(Number(answer === truth.answer));
    this.valid.add(Number(answer === 'yes' || answer === 'no'));
    return {
      [this.options.out_question_key]: truth.question_id ?? null,
      [this.options.out_answer_key]: answer,
    };
  }

  *metrics(): Iterable<readonly [string, number]> {
    if (this.acc.count > 0) {
      yield ['acc', this.acc.value];
      yield ['valid_percent', this.valid.value];
    }
    yield ['num', this.acc.count];
  }
}

const numerals: Readonly<Record<string, string>> = Object.fromEntries(
  (
    'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen ' +
    'eighteen nineteen twenty'
  )
    .split(' ')
    .map((word, i) => [word, String(i)])
    .concat([['none', '0']]),
);
const inDigits = (text: string) => numerals[text.toLowerCase()] ?? text;
const largestCount = 15;

/** TallyQA (arXiv:1810.12440): "acc", the same for simple and complex questions, and for each count up to 15. */
export class TallyQa implements Scorer {
  private readonly all = new Mean();
  private readonly groups = new Map(
    ['simple', 'complex', ...Array.from({ length: largestCount + 1 }, (_, i) => `count_${i}`)].map((name) => [
      name,
      new Mean(),
    ]),
  );

  add(prediction: string, { answer, issimple }: Truth): Json {
    const gt = inDigits(String(answer));
    const right = Number(inDigits(prediction) === gt);
    this.all.add(right);
    if (issimple === 1 || issimple === 0) this.groups.get(issimple === 1 ? 'simple' : 'complex')?.add(right);
    this.groups.get(`count_${gt}`)?.add(right);
    return { answer: prediction, gt };
  }

  *metrics(): Iterable<readonly [string, number]> {
    if (this.all.count > 0) {
      yield ['acc', this.all.value];
      yield ['num', this.all.count];
    }
    for (const [name, mean] of this.groups) {
      if (mean.count === 0) continue;
      yield [`acc/${name}`, mean.value];
      yield [`num/${name}`, mean.count];
    }
  }
}

/** ScienceQA (arXiv:2209.09513): the letter of "The answer is X."; "parsefail" is how many answers aren't that. */
export class ScienceQa implements Scorer {
  private readonly acc = new Mean();
  private readonly failed = new Mean();
  private seen = 0;

  constructor(private readonly options: { readonly out_question_key: string }) {}

  add(raw_answer: string, truth: Truth): Json {
    const letterOf = (text: string) => /^the answer is ([a-z])\./.exec(text.toLowerCase())?.[1] ?? 'failed';
    const answer = letterOf(raw_answer);
    const gts = truth.answer === undefined ? [] : [letterOf(String(truth.answer))];
    for (const gt of gts) {
      this.acc.add(Number(answer === gt));
      this.failed.add(Number(answer === 'failed'));
    }
    this.seen++;
    const question = { [this.options.out_question_key]: truth.question_id ?? null };
    return { ...question, raw_answer, answer, ...(gts.length > 0 && { gts }) };
  }

  *metrics(): Iterable<readonly [string, number]> {
    if (this.acc.count > 0) {
      yield ['acc', this.acc.value];
      yield ['parsefail', this.failed.value];
    }
    yield ['num', this.seen];
  }
}
