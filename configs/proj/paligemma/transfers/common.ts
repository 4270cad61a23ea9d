// What all transfers of PaliGemma have in common: how a question and its answer become one text, how answers are evaluated,
// and how the model is trained. Data sets are JSON lines with files beside them (plugins/data-jsonl).

import type { ConfigInput } from '../../../../core/config/schema';

export const tokenizer = 'gemma(tokensets=("loc", "seg"))';

/** A text in quotes, as Python writes it. */
const quoted = (text: string) => `'${text.replaceAll('\n', '\\n')}'`;

/** The op `tok` with these arguments. */
export function tok({ model = tokenizer, ...args }: Readonly<Record<string, string>>): string {
  const all = Object.entries({ ...args, model });
  return `tok(${all.map(([key, value]) => `${key}=${quoted(value)}`).join(', ')})`;
}

interface Combined {
  /** How many words there are in all. */
  readonly text_len: number;
  /** Ops that come first. */
  readonly before?: readonly string[];
  /** Between question and answer. */
  readonly sep?: string;
  readonly model?: string;
}

/** `prefix` sees itself as a whole; `suffix` is what the loss is of. */
export function combineAndKeepTrain({
  text_len,
  before = [],
  sep = '\n',
  model = tokenizer,
}: Combined): string {
  // One more, since the trainer cuts off the last one of what the model sees.
  const length = text_len + 1;
  return [
    ...before,
    tok({ key: 'prefix', bos: 'yes', model }),
    tok({ key: 'suffix', eos: 'yes', model }),
    tok({ key: 'septok', text: sep, model }),
    'masked_concat(["prefix", "septok", "suffix"], outkey="text", mask_ar=[0, 0, 1], mask_loss=[0, 0, 1])',
    `tolen(${length}, pad_value=0, key="text")`,
    `tolen(${length}, pad_value=1, key="mask_ar")`,
    `tolen(${length}, pad_value=0, key="mask_loss")`,
    'keep("image", "text", "mask_ar", "mask_loss")',
  ].join('|');
}

/** The question alone, and after it the beginning of an answer if the example has a `suffix`. */
export function combineAndKeepEval({
  text_len,
  keep = [],
  before = [],
  sep = '\n',
  model = tokenizer,
}: Combined & { readonly keep?: readonly string[] }): string {
  const kept = ['image', 'text', 'mask_ar', 'mask_input', ...keep].map((key) => `"${key}"`);
  return [
    ...before,
    tok({ key: 'prefix', bos: 'yes', model }),
    tok({ key: 'septok', text: sep, model }),
    'setdefault("suffix", "")',
    tok({ key: 'suffix', eos: 'no', model }),
    'masked_concat(["prefix", "septok", "suffix"], outkey="text", mask_ar=[0, 0, 1], mask_input=[1, 1, 1])',
    `tolen(${text_len}, pad_value=0, key="text")`,
    `tolen(${text_len}, pad_value=1, key="mask_ar")`,
    `tolen(${text_len}, pad_value=0, key="mask_input")`,
    `keep(${kept.join(', ')})`,
  ].join('|');
}

// ---- Evaluators -------------------------------------------------------------------------------------------------------

type Entry = Readonly<Record<string, unknown>>;
type Entries = Readonly<Record<string, Entry>>;
interface Data {
  readonly name: string;
  readonly split: string;
}

/** What is evaluated: by name the split, and how often, as a part of the run; 1 is at the end alone. */
export type Splits = readonly (readonly [name: string, split: string, log_percent?: number])[];

/** An entry for each split. `skip_rare`: what is evaluated once isn't evaluated before the first step. */
export function answers(
  prefix: string,
  splits: Splits,
  of: {
    readonly evaluator: string;
    readonly data: string;
    readonly pp_fn: string;
    readonly text_len: number;
    readonly log_percent?: number;
    readonly skip_rare?: boolean;
    readonly outfile?: string;
    readonly more?: Entry;
  },
): Entries {
  return Object.fromEntries(
    splits.map(([name, split, log_percent = of.log_percent]) => [
      `${prefix}/${name}`,
      {
        type: `proj.paligemma.transfers.${of.evaluator}`,
        pred: 'decode',
        pred_kw: { max_decode_len: of.text_len },
        data: { name: of.data, split },
        log_percent,
        ...(of.skip_rare && { skip_first: log_percent === 1 }),
        ...(of.outfile !== undefined && { outfile: `{workdir}/${of.outfile}_${name}.json` }),
        tokenizer,
        pp_fn: of.pp_fn,
        ...of.more,
      },
    ]),
  );
}

/** Perplexity of answers, preprocessed as in training. */
export function perplexities(
  prefix: string,
  splits: Splits,
  { data, pp, log_percent }: { readonly data: string; readonly pp: string; readonly log_percent: number },
): Entries {
  return Object.fromEntries(
    splits.map(([name, split]) => [
      `${prefix}/${name}/pplx`,
      {
        type: 'proj.paligemma.perplexity',
        pred: 'logits',
        key: 'text',
        shift_labels: true,
        log_percent,
        data: { name: data, split },
        pp_fn: pp,
      },
    ]),
  );
}

// ---- Training ---------------------------------------------------------------------------------------------------------

/** Arguments of all transfers. `mode`: xm, mock (a few examples of each evaluation) or runlocal (small batches too). */
export const transferArgs = { mode: 'xm', res: 224, final_split: false };

/** What may be frozen, as arguments. */
export const freezeArgs = { freeze_vit: false, freeze_llm: false };

interface Transfer {
  readonly arg: { readonly mode?: string; readonly res: number };
  readonly input: Entry;
  readonly batch_size: number;
  /** total_epochs, total_examples or total_steps. */
  readonly length: Readonly<Record<string, number>>;
  readonly lr: number;
  readonly wd: number;
  readonly label_smoothing?: number;
  readonly evals: Entries;
  /** Options of the optimizer, if not all are defaults. */
  readonly optax?: Entry;
  readonly schedule?: ConfigInput['schedule'];
  /** Options of the models, beside those of all transfers. */
  readonly img?: Entry;
  readonly llm?: Entry;
}

const cosine = { decay_type: 'cosine', warmup_percent: 0.05 };

/** A schedule for each part of the model, or null for one that is frozen. */
export const frozen = (arg: {
  readonly freeze_vit: boolean;
  readonly freeze_llm: boolean;
}): ConfigInput['schedule'] => [
  ['img/.*', arg.freeze_vit ? null : cosine],
  ['llm/.*', arg.freeze_llm ? null : cosine],
];

/** The first examples of a split. */
const fewOf = ({ data, ...entry }: Entry): Entry => ({
  ...entry,
  data: { ...(data as Data), split: `${(data as Data).split.split('[')[0]}[:16]` },
});

export const pretrained = (res: number) => ({
  model_name: 'proj.paligemma.paligemma',
  model: {
    img: { variant: 'So400m/14', pool_type: 'none', scan: true },
    llm: { vocab_size: 256_000 + 1024 + 128, dropout: 0 },
  },
  model_init: `pt_${res}`,
});

export const sharding = {
  mesh: [['data', -1]],
  sharding_strategy: [['.*', 'fsdp(axis="data")']],
  sharding_rules: [['act_batch', ['data']]],
} satisfies Partial<ConfigInput>;

export function transfer({
  arg: { mode, res },
  input,
  batch_size,
  length,
  lr,
  wd,
  label_smoothing = 0,
  evals,
  optax = { b2: 0.999 },
  schedule = cosine,
  img,
  llm,
}: Transfer): ConfigInput {
  const local = mode === 'runlocal';
  const few = local || mode === 'mock';
  const { model, ...start } = pretrained(res);
  return {
    input: { ...input, batch_size: local ? 2 : batch_size } as ConfigInput['input'],
    ...length,
    optax_name: 'scale_by_adam',
    optax: { ...optax },
    lr,
    wd,
    grad_clip_norm: 1,
    paligemma: { label_smoothing },
    schedule,
    evals: Object.fromEntries(
      Object.entries(evals).map(([name, entry]) => [name, few ? fewOf(entry) : entry]),
    ) as ConfigInput['evals'],
    ...start,
    model: { img: { ...model.img, ...img }, llm: { ...model.llm, ...llm } },
    ...sharding,
    log_training_steps: local ? 1 : 50,
    ckpt_steps: 1000,
    seed: 0,
  };
}

/** A transfer with one data set: how it is preprocessed, and how answers are evaluated. */
interface Task extends Omit<Transfer, 'input' | 'evals'> {
  readonly data: string;
  /** Of the training data. */
  readonly split: string;
  readonly text_len: number;
  /** Ops that make `image`, `prefix` and `suffix` for training. */
  readonly train: readonly string[];
  /** Ops that make `image`, `prefix` and what is kept for the evaluator. */
  readonly evaluate: readonly string[];
  readonly keep: readonly string[];
  readonly evaluator: string;
  /** Before the names of the splits. */
  readonly prefix: string;
  readonly splits: Splits;
  readonly log_percent?: number;
  readonly skip_rare?: boolean;
  readonly outfile?: string;
  readonly more?: Entry;
  /** Preprocessed as in training, or as `train` here says. */
  readonly pplx?: {
    readonly splits: Splits;
    readonly log_percent: number;
    readonly train?: readonly string[];
  };
  /** Further evaluations, from the preprocessing of the others. */
  readonly others?: (pp_fn: string) => Entries;
}

export function task({ train, evaluate, keep, split, pplx, others, ...rest }: Task): ConfigInput {
  const { data, text_len, prefix, splits, evaluator, log_percent, skip_rare, outfile, more, ...transferred } = rest; // prettier-ignore
  const pp = combineAndKeepTrain({ text_len, before: train });
  const pp_fn = combineAndKeepEval({ text_len, before: evaluate, keep });
  return transfer({
    ...transferred,
    input: { data: { name: data, split }, pp },
    evals: {
      ...answers(prefix, splits, { evaluator, data, pp_fn, text_len, log_percent, skip_rare, outfile, more }),
      ...others?.(pp_fn),
      ...(pplx &&
        perplexities(prefix, pplx.splits, {
          data,
          pp: combineAndKeepTrain({ text_len, before: pplx.train ?? train }),
          log_percent: pplx.log_percent,
        })),
    },
  });
}

/** Sees the whole image, resized to a square. */
export const seeSmooth = (res: number) => `decode|resize(${res}, antialias=True)|value_range(-1, 1)`;
export const seePlain = (res: number) => `decode|resize(${res})|value_range(-1, 1)`;

export const answerEn = 'strfmt("answer en {question}", outkey="prefix")';
export const captionEn = 'strfmt("caption en", outkey="prefix")';
/** One of several answers, in training. */
export const oneOf = (key: string) => `choice_no_replacement(inkey="${key}", outkey="suffix")`;

/** Of an image for captions: inception crop, random crop, or all of it. */
export function cropOps(name: string, res: number): string {
  const known: Readonly<Record<string, string>> = {
    ic: `inception_crop(${res}, area_min=50)`,
    rc: `resize_small(${Math.floor((res * 8) / 7)})|random_crop(${res})`,
    rs: `resize(${res})`,
  };
  const found = known[name];
  if (found === undefined)
    throw new Error(`There is no crop "${name}": one of ${Object.keys(known).join(', ')}.`);
  return found;
}

/** Answers by beam search, if so many are to be kept. (The original loses the length here, and so can't decode.) */
export const beamed = (beam_size: number, max_decode_len: number): Entry =>
  beam_size > 0 ? { pred: 'beam_decode', pred_kw: { max_decode_len, beam_size } } : {};
