// VQAv2 (arXiv:1612.00837): what it cleans of answers, and how it counts agreement with ten people.

import type { Json } from '../../../plugins/evaluators';
import { Mean, type Scorer, textsOf, type Truth } from './answers';

/** Words that are written with apostrophes. Answers lack one of them. */
const contractions = `
ain't aren't can't could've couldn't couldn't've didn't doesn't don't hadn't hadn't've hasn't haven't he'd he'd've he's how'd
how'll how's isn't it'd it'd've it'll ma'am mightn't mightn't've might've mustn't must've needn't not've o'clock oughtn't 'ow's'at
shan't she'd've should've shouldn't shouldn't've somebody'd've somebody'll somebody's someone'd someone'd've someone'll
someone's something'd something'd've something'll that's there'd there'd've there're there's they'd they'd've they'll they're
they've 'twas wasn't we'd've we've weren't what'll what're what's what've when's where'd where's where've who'd who'd've who'll
who's who've why'll why're why's won't would've wouldn't wouldn't've y'all y'all'll y'all'd've you'd you'd've you'll you're you've`;

const numbers = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];

function withoutOneApostrophe(word: string): string[] {
  return [...word.matchAll(/'/g)].map(({ index }) => word.slice(0, index) + word.slice(index + 1));
}

const replacements = new Map<string, string>([
  ...contractions
    .trim()
    .split(/\s+/)
    .flatMap((word) => withoutOneApostrophe(word).map((without) => [without, word] as const)),
  // The official table has it the wrong way round.
  ["somebody'd", 'somebodyd'],
  ...numbers.map((word, i) => [word, String(i)] as const),
  ['none', '0'],
]);

const punctuation = [...';/[]"{}()=+\\_-><@`,?!'];
const articles = new Set(['a', 'an', 'the']);

const oneLine = (text: string) => text.replace(/[\n\t]/g, ' ').trim();

/** Without punctuation and articles, in lower case, numbers as digits: https://visualqa.org/evaluation.html */
export function cleanAnswer(text: string): string {
  // That a comma in a number makes all punctuation vanish is a peculiarity of the official code.
  const commaInNumber = /\p{Nd},\p{Nd}/u.test(text);
  let out = text;
  for (const mark of punctuation) {
    const glued = !(commaInNumber || text.includes(`${mark} `) || text.includes(` ${mark}`));
    out = out.replaceAll(mark, glued ? ' ' : '');
  }
  return out
    .replace(/\.(?!\p{Nd})/gu, '')
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '' && !articles.has(word))
    .map((word) => replacements.get(word) ?? word)
    .join(' ');
}

/** An answer is right that three of nine people agree with, on average over the nine. */
export function agreement(answer: string, answers: readonly string[]): number {
  const matches = answers.filter((other) => other === answer).length;
  const without = (match: boolean) => Math.min(1, (matches - Number(match)) / 3);
  return answers.reduce((sum, other) => sum + without(other === answer), 0) / answers.length;
}

const types = { 'yes/no': 'yesno', number: 'number', other: 'other' } as const;

/** "acc", and the same for each `answer_type`. Answers are cleaned where people disagree. */
export class Vqav2 implements Scorer {
  private readonly scores = { 'yes/no': new Mean(), number: new Mean(), other: new Mean() };
  private seen = 0;

  add(prediction: string, truth: Truth): Json {
    this.seen++;
    const question_id = truth.question_id ?? null;
    let gts = textsOf(truth.answers).map(oneLine);
    if (gts.length === 0) return { question_id, answer: prediction };
    let answer = oneLine(prediction);
    if (new Set(gts).size > 1) [answer, gts] = [cleanAnswer(answer), gts.map(cleanAnswer)];
    this.scores[truth.answer_type as keyof typeof types].add(agreement(answer, gts));
    return { question_id, answer, answer_raw: prediction, gts };
  }

  *metrics(): Iterable<readonly [string, number]> {
    const all = Object.values(this.scores);
    const count = all.reduce((sum, mean) => sum + mean.count, 0);
    if (count > 0) yield ['acc', all.reduce((sum, mean) => sum + mean.sum, 0) / count];
    for (const [type, name] of Object.entries(types)) {
      const mean = this.scores[type as keyof typeof types];
      if (mean.count === 0) continue;
      yield [`acc/${name}`, mean.value];
      yield [`num/${name}`, mean.count];
    }
    yield ['num', this.seen];
  }
}
