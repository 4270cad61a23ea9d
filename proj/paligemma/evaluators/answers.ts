// What a model answers to each example, beside what the data says of it.

import { promises as fs } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { Container } from '../../../core/container';
import type { Evaluator, EvaluatorContext, Params, Registry, Tokenizer } from '../../../core/extensions';
import {
  asideKey,
  forEachExample,
  type Json,
  onlyOutput,
  outfileOf,
  passOptions,
  type PassServices,
  readAside,
} from '../../../plugins/evaluators';
import { createTokenizer } from '../../../plugins/pp';

/** What the data says of an example. */
export type Truth = Readonly<Record<string, Json>>;

export const answerOptions = {
  ...passOptions,
  tokenizer: z.string().describe('that of the answers, as in tok: gemma(tokensets=["loc", "seg"])'),
  aside_bytes: z.int().min(2).default(4096).describe('room for what the data says of an example, as JSON'),
};

type AnswerOptions = z.output<z.ZodObject<typeof answerOptions>>;

/** `{workdir}`, `{name}` and `{split}` stand for what they say; without a workdir nothing is written. */
export const outfileOption = (fallback: string) =>
  z.string().nullable().default(fallback).describe('where the answers are written as JSON; null: nowhere');

export interface AnswerServices extends PassServices {
  readonly registry: Registry;
  readonly container: Container;
}

/** An answer as text, its tokens, and its place in the data. */
export interface Answer {
  readonly text: string;
  readonly tokens: readonly number[];
  readonly truth: Truth;
  readonly index: number;
}

/**
 * A pass over the data: answers in its order.
 * @param options its tokenizer by name, or as who has made one already gives it
 * @param keys what of an example isn't for the model
 */
export async function answersOf(
  {
    tokenizer: named,
    aside_bytes,
    ...options
  }: Omit<AnswerOptions, 'tokenizer'> & { readonly tokenizer: string | Tokenizer },
  context: EvaluatorContext,
  { registry, container, ...services }: AnswerServices,
  keys: readonly string[],
): Promise<(params: Params, use: (answer: Answer) => void | Promise<void>) => Promise<void>> {
  const where = `evals.${context.name}.tokenizer`;
  const tokenizer =
    typeof named === 'string' ? await createTokenizer(named, registry, container, where) : named;
  const beside = `aside([${keys.map((key) => `"${key}"`).join(', ')}], ${aside_bytes})`;
  const pass = await forEachExample(
    { ...options, pp_fn: `${options.pp_fn}|${beside}` },
    context,
    services,
    (params, { [asideKey]: aside, ...batch }) => ({
      tokens: onlyOutput(context.name, context.predict(params, batch, { eos_token: tokenizer.eos })),
      aside: aside!,
    }),
  );
  return (params, use) =>
    pass(params, ({ tokens, aside }, index) => {
      const ids = Array.from(tokens.data, Number);
      return use({ text: tokenizer.decode(ids), tokens: ids, truth: readAside(aside), index });
    });
}

/** Sums up how good answers are. */
export interface Scorer {
  /** @returns what is written of the answer */
  add(answer: string, truth: Truth): Json;
  metrics(): Iterable<readonly [metric: string, value: number]>;
}

export interface ScoredOptions extends AnswerOptions {
  readonly outfile: string | null;
}

/** An evaluator of answers, which it also writes into `outfile`. */
export async function scored(
  options: ScoredOptions,
  context: EvaluatorContext,
  services: AnswerServices,
  keys: readonly string[],
  newScorer: () => Scorer,
): Promise<Evaluator> {
  const { outfile, ...rest } = options;
  const pass = await answersOf(rest, context, services, keys);
  return {
    async *run(params, step) {
      const scorer = newScorer();
      const written: Json[] = [];
      await pass(params, ({ text, truth }) => void written.push(scorer.add(text, truth)));
      yield* scorer.metrics();
      await writeJson(outfile, written, context, services, step, rest.data);
    },
  };
}

/** Writes what all processes have, by the first of them. */
export async function writeJson(
  outfile: string | null,
  content: Json,
  { name, workdir }: EvaluatorContext,
  { runtime }: PassServices,
  step: number,
  data: { readonly name?: unknown; readonly split?: unknown },
): Promise<void> {
  if (outfile === null || (outfile.includes('{workdir}') && workdir === undefined)) return;
  if (runtime.process.index !== 0) return;
  const named = outfile
    .replaceAll('{name}', String(data.name ?? ''))
    .replaceAll('{split}', String(data.split ?? '').replace(/[[\]%:]/g, '_'));
  const file = outfileOf(name, named, step, workdir);
  await fs.mkdir(path.dirname(file), { recursive: true });
  await fs.writeFile(file, JSON.stringify(content));
}

// ---- Shares -----------------------------------------------------------------------------------------------------------

/** A mean that grows. */
export class Mean {
  sum = 0;
  count = 0;

  add(value: number): void {
    this.sum += value;
    this.count++;
  }

  get value(): number {
    return this.sum / this.count;
  }
}

export const textsOf = (value: Json | undefined): string[] => ((value ?? []) as readonly Json[]).map(String);
