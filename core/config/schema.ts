// The config of a run: plain data, with the original's field names. What belongs to a plugin's implementation (model
// options, optimizer options, pp arguments) is checked by that implementation's own schema.

import { z } from 'zod';
import { isDict } from '../tree';

const count = z.number().int().min(0);

/** `{prefix}_{steps,epochs,examples,percent}`: at most one of them, in the unit that suits the config; null is none. */
export function duration<Prefix extends string>(prefix: Prefix, doc: string) {
  return {
    [`${prefix}_steps`]: z.number().nullish().describe(`${doc}, in steps`),
    [`${prefix}_epochs`]: z.number().nullish().describe(`${doc}, in epochs of the training data`),
    [`${prefix}_examples`]: z.number().nullish().describe(`${doc}, in examples`),
    [`${prefix}_percent`]: z.number().nullish().describe(`${doc}, as a fraction (0 to 1) of the run`),
  } as {
    [K in `${Prefix}_${'steps' | 'epochs' | 'examples' | 'percent'}`]: z.ZodOptional<
      z.ZodNullable<z.ZodNumber>
    >;
  };
}

export const dataSchema = z
  .looseObject({ name: z.string().describe('name of a data source: see `bv list data`') })
  .describe('a data source and its options');

const ppSchema = z.string().default('').describe('preprocessing, as "op(args)|op(args)": see `bv list ops`');
const shareSchema = z.number().min(0);

/** One of the sources that are mixed. */
export const sourceSchema = z.strictObject({ data: dataSchema, pp: ppSchema });

export const inputSchema = z
  .looseObject({
    data: z
      .union([dataSchema, z.record(z.string(), shareSchema)])
      .describe(
        'a data source and its options; or shares of several by name, each with its data and pp as input.NAME',
      ),
    pp: ppSchema,
    batch_size: z.number().int().min(1).describe('global batch size'),
    workers: count.optional().describe('worker threads for preprocessing; the order never depends on it'),
    prefetch: z.number().int().min(1).default(2).describe('batches made ahead of the device'),
    shuffle: z
      .boolean()
      .default(true)
      .describe('a new order each epoch, a pure function of (seed, epoch, index)'),
  })
  .superRefine(
    (value, { addIssue }) => {
      const known = { ...inputSchema.shape, ...(isDict(value.data) && sharesOf(value.data)) };
      const stray = Object.keys(value).filter((key) => !(key in known));
      if (stray.length > 0) addIssue({ code: 'unrecognized_keys', keys: stray, input: value });
    },
    // Also where something is missing: it may be there, with its name mistyped.
    { when: ({ value }) => isDict(value) },
  );
export type InputConfig = z.output<typeof inputSchema>;
export type DataConfig = z.output<typeof dataSchema>;

/** Shares of the sources that are mixed, by name; none where there is one source. */
export function sharesOf(data: InputConfig['data']): Readonly<Record<string, number>> {
  return typeof data['name'] === 'string' ? {} : (data as Record<string, number>);
}

export const evalSchema = z
  .looseObject({
    type: z.string().optional().describe('name of an evaluator; default: the name of the entry'),
    pred: z.string().default('predict').describe('the predict function to evaluate'),
    pred_kw: z.record(z.string(), z.unknown()).optional().describe('options of the predict function'),
    params: z
      .string()
      .default('params')
      .describe("the parameters to evaluate; 'average' for those that the plugin of that name keeps"),
    prefix: z.string().optional().describe('put before metric names; default: "NAME/"'),
    skip_first: z.boolean().default(false).describe('leave out the evaluation before the first step'),
    batch_size: z.number().int().min(1).optional(),
    ...duration('log', 'period'),
  })
  .describe('one evaluator: these fields, and the options of its type');

/** A learning-rate schedule's options, or null to freeze what it applies to. */
export const scheduleSchema = z.union([
  z.record(z.string(), z.unknown()),
  z.array(z.tuple([z.string(), z.record(z.string(), z.unknown()).nullable()])),
]);

/** Facts about a config that CI checks, not a comment. */
export const headerSchema = z.strictObject({
  command: z.string().describe('the command that runs it'),
  hardware: z.string().describe('what it was run on'),
  minutes: z.number().positive().optional().describe('how long that took'),
  expect: z
    .record(z.string(), z.union([z.number(), z.strictObject({ max: z.number() })]))
    .default({})
    .describe('metrics that a run must reach, by name: least values, or {max: VALUE} where less is better'),
  paper: z.string().optional(),
});

export const configSchema = z.strictObject({
  header: headerSchema.optional().describe('command, hardware, time and the numbers that a run must reach'),
  seed: z.number().int().min(0).default(0).describe('of initial parameters, data order and step randomness'),
  runtime: z.string().optional().describe('xla, tensorflow, wasm or cpu; default: the first that works here'),
  mesh: z
    .array(z.tuple([z.string(), z.number().int()]))
    .optional()
    .describe('named axes of devices, one size may be -1; default: all devices on one axis "data"'),
  sharding_rules: z
    .array(z.tuple([z.string(), z.union([z.string(), z.array(z.string())]).nullable()]))
    .default([])
    .describe(
      '(logical name of a dimension, mesh axis or axes); act_batch is that of examples, by default split over all axes',
    ),
  sharding_strategy: z
    .array(z.tuple([z.string(), z.string()]))
    .default([['.*', 'replicate']])
    .describe('(pattern of names in the train state, sharding rules joined by "|"); first match wins'),

  input: inputSchema.describe('training data'),
  ...duration('total', 'length of the run'),

  num_classes: z.number().int().min(1).optional(),
  model_name: z.string().describe('see `bv list models`'),
  model: z.record(z.string(), z.unknown()).default({}).describe('options of the model'),
  model_init: z
    .union([z.string(), z.record(z.string(), z.string())])
    .optional()
    .describe('checkpoint to initialise the model from, or one for each of its parts by name'),
  model_load: z
    .record(z.string(), z.unknown())
    .default({})
    .describe('how to load model_init: {dont_load: [patterns]}, or what the model has instead (img_load_kw)'),
  init_head_bias: z.number().optional().describe('initial value of head/bias'),
  resume: z.string().optional().describe('checkpoint to continue from when the workdir has none'),

  loss: z.string().default('sigmoid_xent').describe('see `bv list losses`'),
  loss_options: z.record(z.string(), z.unknown()).default({}),

  optax_name: z.string().describe('see `bv list optimizers`'),
  optax: z.record(z.string(), z.unknown()).default({}).describe('options of the optimizer'),
  lr: z.number().describe('learning rate'),
  lr_mults: z.array(z.tuple([z.string(), z.number().positive()])).nullish(),
  wd: z.number().nullish().describe('weight decay, decoupled and not multiplied by lr'),
  wd_mults: z.array(z.tuple([z.string(), z.number()])).default([['.*/kernel', 1.0]]),
  schedule: scheduleSchema
    .default({})
    .describe('learning-rate schedule, or (pattern, schedule or null) pairs'),
  grad_clip_norm: z.number().min(0).nullish().describe('largest norm of all gradients together; 0 is off'),
  grad_clip_per_example: z
    .boolean()
    .optional()
    .describe('clip the gradient of each example, where a plugin gives them, and take the mean'),

  ...duration('log_training', 'period of training metrics'),
  ...duration('ckpt', 'period of checkpoints that the next one replaces'),
  ...duration('keep_ckpt', 'period of checkpoints that stay'),
  evals: z.record(z.string(), evalSchema).default({}),
});

/** The schema's output, and one key for each plugin that takes part in the run. */
export type Config = z.output<typeof configSchema> & { readonly [plugin: string]: unknown };
/** What a config module returns: defaults may be left out. */
export type ConfigInput = z.input<typeof configSchema> & { readonly [plugin: string]: unknown };
