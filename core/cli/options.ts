// Options and arguments of the commands, apart from the table so that each command can type its input by its own.

import type { ArgumentSpecs, OptionSpecs } from './command';

const config = {
  kind: 'text',
  value: 'file[:arg]',
  doc: 'module of the experiment; what follows the colon goes to its function',
} as const;
const runtime = {
  kind: 'text',
  value: 'name',
  doc: 'xla, tensorflow, wasm or cpu; default: the first that works here',
} as const;
const devices = { kind: 'count', value: 'n', doc: 'virtual devices of the xla runtime on a CPU' } as const;

const processes = {
  processes: {
    kind: 'count',
    value: 'n',
    doc: 'how many processes run this together; default: as SLURM or the TPU pod says',
  },
  process: { kind: 'text', value: 'i', doc: 'which of them this one is, from 0' },
  coordinator: { kind: 'text', value: 'host:port', doc: 'where process 0 listens for the others' },
} as const satisfies OptionSpecs;

export const trainOptions = {
  config,
  workdir: {
    kind: 'text or no',
    value: 'dir',
    doc: 'folder of the run; default: a new one below workdir/',
    no: 'keep nothing: no metrics file, no checkpoints',
  },
  runtime,
  devices,
  ...processes,
  pinned: { kind: 'text', value: 'project', doc: 'with what the project was pinned with: see `bv pin`' },
  cleanup: { kind: 'flag', doc: 'delete the workdir when the run has succeeded' },
} as const satisfies OptionSpecs;

export const evalOptions = {
  config,
  workdir: { kind: 'text', value: 'dir', doc: 'folder of a run: its last checkpoint is evaluated' },
  checkpoint: { kind: 'text', value: 'path', doc: 'a checkpoint folder, or a file of parameters' },
  runtime,
  devices,
  ...processes,
} as const satisfies OptionSpecs;

export const explainArguments = {
  config: { doc: 'module of the experiment, as for --config' },
} as const satisfies ArgumentSpecs;

export const explainOptions = {
  only: { kind: 'text', value: 'part', doc: 'one of: config, plugins, hooks, params' },
  runtime,
  devices,
} as const satisfies OptionSpecs;

export const listArguments = {
  what: { doc: 'models, losses, optimizers, schedules, ops, ..., plugins, hooks', optional: true },
} as const satisfies ArgumentSpecs;

export const describeArguments = {
  name: { doc: 'a name from `bv list`, with or without its kind: `vit`, `optimizer:scale_by_adam`' },
} as const satisfies ArgumentSpecs;

export const installArguments = {
  name: { doc: 'a name from `bv runtime list`' },
} as const satisfies ArgumentSpecs;

export const newArguments = {
  kind: { doc: 'project, model, loss, op, evaluator, optimizer, data-source or config' },
  name: { doc: 'lower case with dashes: sharp-loss' },
} as const satisfies ArgumentSpecs;

export const compileArguments = {
  config: { doc: 'module of the experiment, as for --config' },
} as const satisfies ArgumentSpecs;

export const compileOptions = {
  topology: {
    kind: 'text',
    value: 'name',
    doc: 'hardware to compile for: v5e:16x16, v4:4x4x4, v5e-256, h100:8, h100:2x8, ...; default: cpu, this machine',
  },
  devices,
  'find-batch': { kind: 'flag', doc: 'search the largest batch that fits' },
  mfu: { kind: 'text', value: 'fraction', doc: 'of the peak, for the bound on step time; default 0.4' },
  json: { kind: 'flag', doc: 'print the report as JSON' },
} as const satisfies OptionSpecs;

export const ppArguments = {
  ops: { doc: 'the ops, as in a config' },
  images: { doc: 'image files', many: true },
} as const satisfies ArgumentSpecs;

export const ppOptions = {
  out: { kind: 'text', value: 'file', doc: 'PNG to write; default pp.png' },
  repeat: { kind: 'count', value: 'n', doc: 'how often the ops run on each image; default 4' },
  seed: { kind: 'count', value: 'n', doc: 'other random draws; default 1' },
  key: { kind: 'text', value: 'key', doc: 'the feature to show; default image' },
} as const satisfies OptionSpecs;

export const plotArguments = {
  workdirs: { doc: 'folders of runs', many: true },
} as const satisfies ArgumentSpecs;

export const plotOptions = {
  metric: { kind: 'text', value: 'names', doc: 'with commas between them; default training_loss' },
  out: { kind: 'text', value: 'file', doc: 'SVG or PNG to write; default plot.svg' },
  log: { kind: 'flag', doc: 'logarithmic values' },
} as const satisfies OptionSpecs;

export const parityArguments = {
  cases: { doc: 'folders of cases, or folders that hold such folders', many: true },
} as const satisfies ArgumentSpecs;

export const parityOptions = {
  runtime,
  kind: {
    kind: 'text',
    value: 'kind',
    doc: 'run only: model, init, loss, schedule, optimizer, pp or evaluator',
  },
  name: { kind: 'text', value: 'text', doc: "run only cases with this in the original's name, such as vit" },
  verbose: { kind: 'flag', doc: 'show the error of every output, not only of the worst' },
  json: {
    kind: 'flag',
    doc: 'print one JSON object a case and then one with the sums by kind, and nothing else',
  },
} as const satisfies OptionSpecs;

export const profileArguments = {
  config: { doc: 'module of the experiment, as for --config' },
} as const satisfies ArgumentSpecs;

export const profileOptions = {
  steps: { kind: 'count', value: 'n', doc: 'how many steps to measure; default 10' },
  workdir: {
    kind: 'text',
    value: 'dir',
    doc: 'folder for traces: of the host, and of the devices where XLA can',
  },
  runtime,
  devices,
} as const satisfies OptionSpecs;

export const pinArguments = {
  what: { doc: 'a project to pin, or one of: check, table, checkout' },
  name: { doc: 'the project to check or to check out', optional: true },
} as const satisfies ArgumentSpecs;

export const pinOptions = {
  config,
  results: {
    kind: 'text',
    value: 'workdir',
    doc: 'a whole run of the config: its last metrics go into the pin',
  },
} as const satisfies OptionSpecs;

export const rerunArguments = {
  workdir: { doc: 'folder of the run to make again' },
} as const satisfies ArgumentSpecs;

export const rerunOptions = {
  workdir: { kind: 'text', value: 'dir', doc: 'folder of the new run; default: a new one below workdir/' },
  anyway: { kind: 'flag', doc: 'also where something has changed since' },
  runtime,
} as const satisfies OptionSpecs;

const match = {
  kind: 'text',
  value: 'regex',
  doc: 'only arrays with this somewhere in their names',
} as const;
const params = {
  kind: 'flag',
  doc: "only the parameters, not the optimizer's state and what else there is",
} as const;

export const inspectArguments = {
  file: { doc: 'a checkpoint of any form; FILE:img is a part of its parameters' },
} as const satisfies ArgumentSpecs;

export const inspectOptions = {
  match,
  params,
  depth: { kind: 'count', value: 'n', doc: 'a line for each folder of names down to this depth' },
  quick: { kind: 'flag', doc: 'names, shapes and types alone: the values are not read' },
  json: { kind: 'flag', doc: 'print one JSON object, and nothing else' },
} as const satisfies OptionSpecs;

export const convertArguments = {
  from: { doc: 'a checkpoint of any form; FILE:img is a part of its parameters' },
  to: { doc: 'NAME.npz, NAME.safetensors, or a folder for our own form' },
} as const satisfies ArgumentSpecs;

export const convertOptions = {
  match,
  params,
  force: { kind: 'flag', doc: 'replace what is there' },
  compress: { kind: 'flag', doc: 'deflate the arrays of an .npz; trained weights hardly shrink' },
} as const satisfies OptionSpecs;
