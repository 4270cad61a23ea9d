import pc from 'picocolors';
import { parseCalls } from '../../call-string';
import { modelOptions, schedulesOf } from '../../config/resolve';
import { sourcesOf } from '../../config/sources';
import { catalogue, ExitCode, UserError } from '../../errors';
import { checkOrder, type HookName, hookTable, tapsOf } from '../../hooks';
import { sizeOf } from '../../array';
import { batchParts, bytesOnDevice, describeMesh, describeSharding } from '../../mesh';
import type { TensorSpec } from '../../runtime';
import { didYouMean } from '../../suggest';
import { silentProgress } from '../../progress';
import type * as setup from '../../train/setup';
import type * as trainState from '../../train/state';
import type { CommandInput } from '../command';
import type { explainArguments, explainOptions } from '../options';
import { type Experiment, openExperiment } from '../experiment';
import { formatData, heading, print, printTable } from '../print';
import { openRuntimeOf } from '../runtime';

const parts = ['config', 'plugins', 'hooks', 'params'] as const;
type Part = (typeof parts)[number];

const errors = catalogue('cli', {
  part: (v: { part: string }) => ({
    what: `--only is "${v.part}", which is no part of an explanation.${didYouMean(v.part, parts)}`,
    fix: `one of: ${parts.join(', ')}.`,
  }),
});

export async function explain({
  args,
  options,
  overrides,
}: CommandInput<typeof explainOptions, typeof explainArguments>): Promise<ExitCode> {
  const only = options.only;
  if (only !== undefined && !parts.includes(only as Part)) throw errors.part({ part: only });
  const shown = only === undefined ? parts : [only as Part];
  const experiment = await openExperiment('explain', args.config, overrides);
  checkOrder(experiment.hooks);
  for (const part of shown) {
    if (only === undefined) heading(titles[part]);
    if (part === 'config') print(formatData(experiment.config));
    if (part === 'plugins') showPlugins(experiment);
    if (part === 'hooks') showHooks(experiment);
    if (part === 'params') {
      const runtime = options.runtime;
      const devices = options.devices;
      await showParams(experiment, { runtime, devices }).catch((error: unknown) => {
        // The rest of the explanation stands where the data isn't on this machine.
        if (only !== undefined || !(error instanceof UserError)) throw error;
        print(`Can't be told here: ${error.what}\nTry: ${error.fix}`);
      });
    }
  }
  return ExitCode.ok;
}

const titles: Readonly<Record<Part, string>> = {
  config: 'Config, resolved',
  plugins: 'Plugins that take part',
  hooks: 'Hooks, in the order of a run; taps in the order in which they wrap',
  params: 'Parameters',
};

function showPlugins({ session: { registry, plugins }, config, applied }: Experiment): void {
  const used = new Map<string, string[]>();
  const use = (point: Parameters<typeof registry.find>[0], name: string) => {
    const { plugin } = registry.find(point, name);
    used.set(plugin, [...(used.get(plugin) ?? []), `${point} ${name}`]);
  };
  const useCalls = (point: Parameters<typeof registry.find>[0], text: string) =>
    parseCalls(text).forEach(({ name }) => use(point, name));
  for (const { data, pp } of sourcesOf(config.input)) {
    use('data', data.name);
    useCalls('pp', pp);
  }
  use('model', config.model_name);
  use('loss', config.loss);
  use('optimizer', config.optax_name);
  for (const [, { decay_type = 'stair' }] of schedulesOf(config)) use('schedule', String(decay_type));
  for (const [, rules] of config.sharding_strategy) useCalls('sharding', rules);
  for (const [name, { type }] of Object.entries(config.evals)) use('evaluator', type ?? name);
  for (const name of applied) used.set(name, [...(used.get(name) ?? []), 'taps hooks']);
  const rows = plugins.flatMap(({ plugin }) => {
    const what = used.get(plugin.name);
    return what ? [[plugin.name, plugin.version, [...new Set(what)].join(', ')]] : [];
  });
  printTable(['plugin', 'version', 'what it gives'], rows);
}

function showHooks({ hooks }: Experiment): void {
  const rows = (Object.keys(hookTable) as HookName[]).map((name) => {
    const taps = tapsOf(hooks[name]).map((tap) =>
      (tap.stage ?? 0) === 0 ? tap.name : `${tap.name} (stage ${tap.stage})`,
    );
    return [name, hookTable[name].place, taps.length === 0 ? pc.dim('-') : taps.join(' -> ')];
  });
  printTable(['hook', 'runs', 'tapped by'], rows);
}

async function showParams(
  experiment: Experiment,
  options: { runtime?: string; devices?: number },
): Promise<void> {
  const { session, config, hooks } = experiment;
  const runtime = await openRuntimeOf(experiment, options, print);
  try {
    // eslint-disable-next-line @typescript-eslint/no-require-imports -- brings the tensor library
    const { setUp } = require('../../train/setup') as typeof setup;
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const { stateSpecs } = require('../../train/state') as typeof trainState;
    const { registry, container } = session;
    const { run, input, shardings } = await setUp({
      config,
      hooks,
      registry,
      container,
      runtime,
      progress: silentProgress,
    });
    await input.close();
    const { mesh } = runtime;
    const state = stateSpecs(
      run,
      hooks.state.call(() => ({}), run),
      shardings,
    );
    const partOf = (spec: TensorSpec) => bytesOnDevice(mesh, spec, spec.sharding);
    const params = state.filter(([name]) => name.startsWith('params/'));
    const rows = params.map(([path, spec]) => {
      const name = path.slice('params/'.length);
      return [
        name,
        spec.dtype,
        `[${spec.shape.join(', ')}]`,
        run.update.frozen(name) ? 'frozen' : '',
        sizeOf(spec.shape).toLocaleString('en'),
        describeSharding(spec.sharding),
        partOf(spec).toLocaleString('en'),
      ];
    });
    printTable(['name', 'dtype', 'shape', '', 'count', 'sharding', 'bytes a device'], rows);
    const count = params.reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0);
    const { total_steps, batch_size, data_size } = run.length;
    print(
      `\n${count.toLocaleString('en')} parameters of ${config.model_name} (${formatData(modelOptions(config))})`,
    );
    print(
      `${total_steps} steps of ${batch_size}: ${((total_steps * batch_size) / data_size).toFixed(2)} epochs of ${data_size} examples`,
    );
    const whole = ([, spec]: (typeof state)[number]) => bytesOnDevice(mesh, spec, []);
    const part = ([, spec]: (typeof state)[number]) => partOf(spec);
    const sum = (leaves: typeof state, of: typeof whole) =>
      leaves.reduce((total, leaf) => total + of(leaf), 0).toLocaleString('en');
    const parts = ['params', 'opt', 'extra'].map((prefix) => {
      const leaves = state.filter(([name]) => name.startsWith(`${prefix}/`));
      return `${prefix} ${sum(leaves, part)} of ${sum(leaves, whole)}`;
    });
    print(
      `Mesh ${describeMesh(mesh)}: a batch is split over ${batchParts(mesh)}; bytes a device: ${sum(state, part)} of ${sum(state, whole)} (${parts.join(', ')})`,
    );
  } finally {
    await runtime.dispose();
  }
}
