// The table of commands: parsing, help and documentation come from here.

/* eslint-disable @typescript-eslint/no-require-imports -- a command is loaded when it runs, so that `--help` is quick */

import { type CommandSpec, defineCommand } from './command';
import type * as compileCommand from './commands/compile';
import type * as convertCommand from './commands/convert';
import type * as describeCommand from './commands/describe';
import type * as doctorCommand from './commands/doctor';
import type * as evalCommand from './commands/eval';
import type * as explainCommand from './commands/explain';
import type * as inspectCommand from './commands/inspect';
import type * as listCommand from './commands/list';
import type * as newCommand from './commands/new';
import type * as parityCommand from './commands/parity';
import type * as pinCommand from './commands/pin';
import type * as plotCommand from './commands/plot';
import type * as ppCommand from './commands/pp';
import type * as profileCommand from './commands/profile';
import type * as rerunCommand from './commands/rerun';
import type * as runtimeCommand from './commands/runtime';
import type * as trainCommand from './commands/train';
import {
  compileArguments,
  compileOptions,
  convertArguments,
  convertOptions,
  describeArguments,
  evalOptions,
  explainArguments,
  explainOptions,
  inspectArguments,
  inspectOptions,
  installArguments,
  listArguments,
  newArguments,
  parityArguments,
  parityOptions,
  pinArguments,
  pinOptions,
  plotArguments,
  plotOptions,
  ppArguments,
  ppOptions,
  profileArguments,
  profileOptions,
  rerunArguments,
  rerunOptions,
  trainOptions,
} from './options';

const load = {
  train: () => require('./commands/train') as typeof trainCommand,
  eval: () => require('./commands/eval') as typeof evalCommand,
  explain: () => require('./commands/explain') as typeof explainCommand,
  compile: () => require('./commands/compile') as typeof compileCommand,
  inspect: () => require('./commands/inspect') as typeof inspectCommand,
  list: () => require('./commands/list') as typeof listCommand,
  convert: () => require('./commands/convert') as typeof convertCommand,
  describe: () => require('./commands/describe') as typeof describeCommand,
  doctor: () => require('./commands/doctor') as typeof doctorCommand,
  new: () => require('./commands/new') as typeof newCommand,
  parity: () => require('./commands/parity') as typeof parityCommand,
  pin: () => require('./commands/pin') as typeof pinCommand,
  plot: () => require('./commands/plot') as typeof plotCommand,
  pp: () => require('./commands/pp') as typeof ppCommand,
  profile: () => require('./commands/profile') as typeof profileCommand,
  rerun: () => require('./commands/rerun') as typeof rerunCommand,
  runtime: () => require('./commands/runtime') as typeof runtimeCommand,
};

const overrideHelp =
  'Any field of the config can be overridden: --config.lr=3e-4, --config.evals.test.log_steps=100, ' +
  '--config.lr_mults=\'[[".*head.*", 10]]\'. Lists and objects are JSON, list items go by index, null takes an ' +
  'optional field out.';

export const groups: Readonly<Record<string, string>> = {
  runtime: 'Install what a runtime needs, and list what is installed.',
};

export const commands: readonly CommandSpec[] = [
  defineCommand({
    name: 'train',
    summary: 'Train what a config describes.',
    details:
      'A run writes its resolved config, metrics and checkpoints into its workdir. ' +
      `Started again with the same --workdir it resumes from its last checkpoint.\n\n${overrideHelp}`,
    examples: [
      ['bv train --config configs/vit_mnist.ts', 'a new run in workdir/vit_mnist-<time>'],
      [
        'bv train --config configs/vit_mnist.ts --workdir runs/a --config.lr=3e-4',
        'started again, it resumes',
      ],
      [
        'bv train --config configs/vit_mnist.ts:epochs=1 --no-workdir',
        'with an argument for the config; keeps nothing',
      ],
    ],
    options: trainOptions,
    overrides: true,
    run: async (input) => load.train().train(input),
  }),
  defineCommand({
    name: 'eval',
    summary: 'Run the evaluators of a config on a checkpoint.',
    details: `Without a checkpoint the initial parameters are evaluated (or those of the config's model_init).\n\n${overrideHelp}`,
    examples: [
      ['bv eval --workdir runs/a', 'the last checkpoint of a run, with the config that it wrote'],
      ['bv eval --config configs/vit_mnist.ts --checkpoint runs/a/checkpoints', 'with another config'],
      ['bv eval --config configs/vit_mnist.ts --checkpoint vit.npz', 'parameters from a file'],
    ],
    options: evalOptions,
    overrides: true,
    run: async (input) => load.eval().evaluate(input),
  }),
  defineCommand({
    name: 'explain',
    summary: 'Show what a config comes to, without running it.',
    details:
      'Prints the resolved config, the plugins that take part, which of them tap which hook in what order, and ' +
      `the parameters with their shapes and shardings.\n\n${overrideHelp}`,
    examples: [
      ['bv explain configs/vit_mnist.ts', 'all of it'],
      [
        'bv explain configs/vit_mnist.ts --config.model.depth=12 --only params',
        'the parameters of a deeper one',
      ],
    ],
    args: explainArguments,
    options: explainOptions,
    overrides: true,
    run: async (input) => load.explain().explain(input),
  }),
  defineCommand({
    name: 'compile',
    summary: 'Compile the train step of a config for hardware that need not be here, and tell what it needs.',
    details:
      'Traces the real step, compiles it and prints memory of one device, FLOPs, collectives with their bytes, and ' +
      'whether it fits: exit code 0 if it does, 1 if not. TPU slices need `bv runtime install tpu` and no TPU; GPUs need `bv runtime install cuda13` and no GPU.\n\n' +
      overrideHelp,
    examples: [
      ['bv compile configs/vit_mnist.ts', 'for this machine'],
      ['bv compile configs/vit_mnist.ts --topology v5e:2x4', 'for 8 chips of TPU v5e'],
      ['bv compile configs/vit_mnist.ts --topology v5e:2x4 --find-batch', 'the largest batch there'],
      ['bv compile configs/vit_mnist.ts --topology h100:8', 'for 8 GPUs of one machine'],
    ],
    args: compileArguments,
    options: compileOptions,
    overrides: true,
    run: async (input) => load.compile().compile(input),
  }),
  defineCommand({
    name: 'profile',
    summary: 'Run a few steps of a config, and tell where the time and the memory go.',
    details:
      'Prints the time of each phase (set up, trace, compile, input, copies, dispatch, device), FLOPs and their part of ' +
      `the peak where it is known, and memory by parts of the model.\n\n${overrideHelp}`,
    examples: [
      ['bv profile configs/vit_mnist.ts', '10 steps on the runtime that training would use'],
      [
        'bv profile configs/vit_mnist.ts --steps 50 --workdir /tmp/profile',
        'and a trace for ui.perfetto.dev',
      ],
    ],
    args: profileArguments,
    options: profileOptions,
    overrides: true,
    run: async (input) => load.profile().profile(input),
  }),
  defineCommand({
    name: 'list',
    summary: 'List what configs can name.',
    examples: [
      ['bv list', 'how many there are of each'],
      ['bv list models', 'names for model_name'],
      ['bv list hooks', 'where a plugin can change the trainer'],
    ],
    args: listArguments,
    run: async (input) => load.list().list(input),
  }),
  defineCommand({
    name: 'describe',
    summary: 'Show the options of a model, op, optimizer, evaluator, plugin or hook.',
    examples: [
      ['bv describe vit', 'by name'],
      ['bv describe op:resize', 'by kind and name, where a name is taken twice'],
      ['bv describe config', 'the fields of a config'],
    ],
    args: describeArguments,
    run: async (input) => load.describe().describe(input),
  }),
  defineCommand({
    name: 'new',
    summary: 'Start a project, model, loss, op, evaluator, optimizer, data source or config from a template.',
    details:
      'Writes a small thing that works, with its test, its config and comments, into proj/NAME, plugins/NAME or ' +
      'configs/NAME.ts of the workspace. Plugins there are found without being named anywhere; each is also an npm package.',
    examples: [
      ['bv new project sharp-minima', 'a research project in proj/sharp-minima: it taps a hook'],
      ['bv new loss focal', 'a loss in plugins/focal, named "focal" in configs'],
      ['bv new config digits', 'an experiment in configs/digits.ts'],
    ],
    args: newArguments,
    run: async (input) => load.new().newFromTemplate(input),
  }),
  defineCommand({
    name: 'pin',
    summary: 'Record what a project was run with, see what has changed since, and get it back.',
    details:
      'A pin (proj/NAME/pin.json) holds the commit, the versions of core and plugins, the hash of the lock file and of ' +
      "every source file that was loaded, and the first ten losses. `bv train --pinned NAME` runs at the pin: here if nothing has changed, otherwise in the pinned commit's worktree.",
    examples: [
      ['bv pin gsam --config configs/proj/gsam/vit_mnist_gsam.ts', 'pin a project by one of its configs'],
      ['bv pin check', 'what has changed since, file by file; exit code 1 if anything has'],
      ['bv pin checkout gsam', 'a worktree of the pinned commit with its own dependencies'],
      ['bv pin table', 'the pins as a table'],
    ],
    args: pinArguments,
    options: pinOptions,
    overrides: true,
    run: async (input) => load.pin().pin(input),
  }),
  defineCommand({
    name: 'rerun',
    summary: 'Make a run again from its workdir.',
    details:
      'The workdir says which config, versions, commit and files the run was made with. If all of that is here, the run is ' +
      'made again, to the same bits on the same kind of machine; otherwise what differs is said.',
    examples: [['bv rerun runs/a --workdir runs/again', 'the same run in another folder']],
    args: rerunArguments,
    options: rerunOptions,
    overrides: true,
    run: async (input) => load.rerun().rerun(input),
  }),
  defineCommand({
    name: 'doctor',
    summary: 'Check this machine: runtimes, plugins, and how to get what is missing.',
    examples: [['bv doctor', 'succeeds if there is a runtime that works']],
    run: async () => load.doctor().doctor(),
  }),
  defineCommand({
    name: 'pp',
    summary: 'Show what preprocessing makes of images: a grid as a PNG.',
    details:
      'A row for each image: the image, then what the ops make of it, once for each draw, with its shape and type. ' +
      'Values of float images are stretched from their least to their greatest. Files are decoded first, unless the ' +
      'ops begin with decode.',
    examples: [
      [
        "bv pp 'inception_crop(224)|flip_lr' cat.jpg dog.jpg --out crops.png --repeat 8",
        'eight random crops of two images',
      ],
      ["bv pp 'randaug(2, 15)' cat.jpg --seed 2", 'other draws'],
    ],
    args: ppArguments,
    options: ppOptions,
    run: async (input) => load.pp().pp(input),
  }),
  defineCommand({
    name: 'plot',
    summary: 'Plot metrics of runs, side by side, as an SVG or PNG.',
    details:
      'A curve for each run and metric, by step. A run that still goes on is plotted as far as it came.',
    examples: [
      ['bv plot runs/a runs/b', 'the training losses of two runs, in plot.svg'],
      [
        "bv plot runs/a --metric 'test/prec@1' --out accuracy.png",
        'what an evaluator measured as the run went on',
      ],
    ],
    args: plotArguments,
    options: plotOptions,
    run: async (input) => load.plot().plot(input),
  }),
  defineCommand({
    name: 'inspect',
    summary: 'Show what is in a checkpoint: names, shapes, types and statistics.',
    details:
      'Reads .npz and safetensors files, checkpoints of our own (a workdir stands for the newest), and the folders of Zarr ' +
      "arrays that the original writes. Values are read piece by piece. An array's statistics are those of its finite values.",
    examples: [
      ['bv inspect vit.npz', 'every array'],
      [
        "bv inspect runs/a --params --match 'encoderblock_0/.*kernel'",
        'some parameters of the newest checkpoint',
      ],
      ['bv inspect siglip.npz:img --quick --depth 2', 'the sizes of the parts of the image tower'],
      ['bv inspect vit.safetensors --json', 'for scripts'],
    ],
    args: inspectArguments,
    options: inspectOptions,
    run: async (input) => load.inspect().inspect(input),
  }),
  defineCommand({
    name: 'convert',
    summary: 'Write a checkpoint in another form: .npz, safetensors, or our own.',
    details:
      'Bits are kept, one array is in memory at a time, and what is there is replaced only with --force. A part of the ' +
      'parameters (FILE:img) loses the names in front of it; otherwise names stay as they are.',
    examples: [
      ['bv convert runs/a vit.npz --params', 'the newest checkpoint of a run, for the original'],
      ['bv convert vit.npz vit.safetensors', 'every array of a file'],
      ['bv convert siglip.npz:img tower/', 'the image tower as a checkpoint folder'],
      ['bv convert checkpoint.bv-000010000 vit.npz', 'a folder that the original wrote'],
    ],
    args: convertArguments,
    options: convertOptions,
    run: async (input) => load.convert().convert(input),
  }),
  defineCommand({
    name: 'parity',
    summary: 'Compare what is implemented with cases recorded from the original.',
    details:
      'A case is a folder with case.json, inputs.npz and outputs.npz. Each is a line: its worst output with the ' +
      'largest absolute and relative error, and the tolerance. A case that fails, or that nothing runs, says why; ' +
      'the exit code is then 1.',
    examples: [
      ['bv parity test/golden/cases', 'all the cases of a folder'],
      ['bv parity test/golden/cases --kind model --name vit', 'of models with vit in their name'],
      ['bv parity test/golden/cases/model_vit_map --verbose', 'every output of one case'],
    ],
    args: parityArguments,
    options: parityOptions,
    run: async (input) => load.parity().parity(input),
  }),
  defineCommand({
    name: 'runtime install',
    summary: 'Fetch what a runtime needs from outside npm.',
    examples: [
      ['bv runtime install cpu', 'XLA for CPUs'],
      ['bv runtime list', 'what can be installed, and what is'],
    ],
    args: installArguments,
    run: async (input) => load.runtime().installRuntime(input),
  }),
  defineCommand({
    name: 'runtime list',
    summary: 'List what can be installed.',
    examples: [['bv runtime list', 'names, versions and files']],
    run: async () => load.runtime().listRuntimes(),
  }),
];
