// For tests of plugins, ours and others': a workspace with its plugins and a runtime, and training for some steps.

import { type DType, hostArray } from './array';
import { openRuntime } from './cli/runtime';
import { resolveConfig } from './config/resolve';
import type { Config, ConfigInput } from './config/schema';
import type { ExtensionPoint, ExtensionPoints, Model } from './extensions';
import { createHooks } from './hooks';
import { declareParams } from './layers/params';
import { silentProgress } from './progress';
import { type Runtime, TensorSpec } from './runtime';
import type { Tensor } from './tensor';
import { traceStep } from './train/ahead';
import { train as runTrainer } from './train/trainer';
import { applyPlugins, openSession, type Session } from './workspace/session';

/** One step's measurements by name, with `step`. */
export type MetricsRow = Readonly<Record<string, number>>;

export interface Testbed {
  readonly runtime: Runtime;
  /** An implementation by its name, with its options checked. */
  create<P extends ExtensionPoint>(point: P, name: string, options?: object): ExtensionPoints[P];
  /** The shapes of a model's parameters by name, for float32 inputs of these shapes. */
  paramsOf(
    model: Model,
    inputs: Readonly<Record<string, readonly number[]>>,
  ): Record<string, readonly number[]>;
  toDevice(dtype: DType, shape: readonly number[], values: readonly number[]): Tensor;
  toHost(tensor: Tensor): Promise<number[]>;
  /**
   * Trains a config for some steps and keeps nothing. Every step is logged; the evaluators are left out, unless they are asked
   * for: then they run before the first step and after the last, and the rows begin with step 0.
   */
  train(
    config: ConfigInput,
    steps: number,
    options?: { readonly evaluations?: boolean },
  ): Promise<MetricsRow[]>;
  /** The train step of a config as StableHLO; undefined where the runtime compiles nothing. */
  programOf(config: ConfigInput): Promise<string | undefined>;
  close(): Promise<void>;
}

/**
 * @param from anywhere in the workspace whose plugins are wanted, `__dirname` of the test; or a session that is open
 * @param options.runtime default: the first that works here
 */
export async function openTestbed(
  from: string | Session,
  options: { readonly runtime?: string } = {},
): Promise<Testbed> {
  const session = typeof from === 'string' ? openSession(from) : from;
  const { registry, container } = session;
  const plugins = session.plugins.map(({ plugin }) => plugin);
  const runtime = await openRuntime(session, { name: options.runtime, note: () => undefined });
  const services = { registry, container, runtime, progress: silentProgress };
  const prepare = (config: ConfigInput) => {
    const resolved: Config = resolveConfig(config, [], { registry, plugins });
    const hooks = createHooks();
    applyPlugins(session.plugins, resolved, hooks);
    return { ...services, config: resolved, hooks };
  };

  return {
    runtime,
    create: (point, name, options = {}) => registry.create(container, point, name, options, name),
    paramsOf(model, inputs) {
      const specs = Object.entries(inputs).map(([name, shape]) => [name, new TensorSpec('float32', shape)]);
      const declared = declareParams(runtime, model, Object.fromEntries(specs) as Record<string, TensorSpec>);
      return Object.fromEntries(declared.map(({ name, spec }) => [name, spec.shape]));
    },
    toDevice: (dtype, shape, values) => runtime.toDevice(hostArray(dtype, shape, values)),
    toHost: async (tensor) => Array.from((await runtime.toHost(tensor)).data, Number),
    async train(config, steps, { evaluations = false } = {}) {
      const run = prepare({
        ...ofLength(config, steps),
        log_training_steps: 1,
        evals: evaluations ? evaluatedFirst(config.evals) : {},
      });
      const rows: MetricsRow[] = [];
      run.hooks.metrics.tap('testbed', (metrics, step) => {
        rows.push({ step, ...metrics });
        return metrics;
      });
      await runTrainer(run);
      return rows;
    },
    programOf: (config) => traceStep(prepare(config)),
    close: () => runtime.dispose(),
  };
}

/** The config with another length of its run, in whatever unit it was. */
function ofLength<T extends ConfigInput>(config: T, steps: number): T {
  const lengths = Object.keys(config).filter((key) => key.startsWith('total_'));
  return { ...config, ...Object.fromEntries(lengths.map((key) => [key, undefined])), total_steps: steps };
}

function evaluatedFirst(evals: ConfigInput['evals'] = {}): ConfigInput['evals'] {
  const entries = Object.entries(evals).map(([name, entry]) => [name, { ...entry, skip_first: false }]);
  return Object.fromEntries(entries) as ConfigInput['evals'];
}
