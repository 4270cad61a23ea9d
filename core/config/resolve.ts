// From what a config module returns to the config of a run: overrides, the core's schema, the schema of everything that
// is named, all before anything heavy starts.

import { z } from 'zod';
import { parseCallString } from '../call-string';
import { catalogue } from '../errors';
import type { ExtensionPoint, Registry } from '../extensions';
import { parseOptions } from '../options';
import type { Plugin } from '../plugin';
import { nearest } from '../suggest';
import { splitEvalConfig } from '../train/evals';
import { applyOverride, type Override } from './overrides';
import { type Config, configSchema, evalSchema } from './schema';
import { sourcesOf } from './sources';
import { configView } from './view';
import { errorWithoutEffect, mistakeAmong } from './without-effect';

const errors = catalogue('config', {
  unknownKey: (v: { key: string; near?: string; known: readonly string[] }) => ({
    what: `Unknown key "${v.key}".${v.near === undefined ? '' : ` Did you mean "${v.near}"?`}`,
    fix:
      v.near === undefined
        ? `remove it, or add the plugin "${v.key}" to the workspace; the keys are: ${[...v.known].sort().join(', ')}.`
        : `rename it to "${v.near}", or add the plugin "${v.key}" to the workspace.`,
  }),
  noOptions: (v: { plugin: string }) => ({
    what: `The config has the key "${v.plugin}", but the plugin of that name takes no options.`,
    fix: `remove the key: what "${v.plugin}" registers can be used without it.`,
  }),
});

export interface ConfigContext {
  readonly registry: Registry;
  readonly plugins: readonly Plugin[];
}

/**
 * The complete, checked and frozen config.
 * @throws UserError that names the key, what was found and expected, and the nearest valid name.
 */
export function resolveConfig(
  raw: Readonly<Record<string, unknown>>,
  overrides: readonly Override[],
  context: ConfigContext,
): Config {
  const { registry, plugins } = context;
  let input: Record<string, unknown> = { ...raw };
  // What is named decides which options there are, so names go first.
  const naming = (override: Override) => /(^|[._])(name|type|loss)$/.test(override.path);
  for (const override of [
    ...overrides.filter(naming),
    ...overrides.filter((override) => !naming(override)),
  ]) {
    input = applyOverride(input, override, configView(input, registry, plugins));
  }
  checkKeys(input, plugins);
  const keys = plugins.filter(({ name, options }) => options && name in input).map(({ name }) => name);
  const schema = configSchema.extend(Object.fromEntries(keys.map((key) => [key, z.unknown()])));
  const config = parseOptions(schema, input, '') as Config;
  checkConfig(config, context);
  return deepFreeze(config);
}

function checkKeys(input: Readonly<Record<string, unknown>>, plugins: readonly Plugin[]): void {
  const fields = Object.keys(configSchema.shape);
  const known = [...fields, ...plugins.filter(({ options }) => options).map(({ name }) => name)];
  const stray = Object.keys(input).filter((key) => !known.includes(key));
  if (stray.length === 0) return;
  const key = mistakeAmong('', stray);
  if (key === undefined) throw errorWithoutEffect('', stray);
  if (plugins.some(({ name }) => name === key)) throw errors.noOptions({ plugin: key });
  throw errors.unknownKey({ key, near: nearest(key, known), known });
}

/** Checks everything that the config names: that it is there, and its options. */
export function checkConfig(config: Config, { registry, plugins }: ConfigContext): void {
  const check = (point: ExtensionPoint, name: string, options: unknown, where: string, nameWhere = where) => {
    const { implementation } = registry.find(point, name, nameWhere);
    parseOptions(implementation.options, options, where);
  };
  const checkPp = (pp: string, where: string) => void parseCallString(pp, registry, 'pp', where);

  if (config.runtime !== undefined) registry.find('runtime', config.runtime, 'runtime');
  check('model', config.model_name, modelOptions(config), 'model', 'model_name');
  check('loss', config.loss, config.loss_options, 'loss_options', 'loss');
  check('optimizer', config.optax_name, config.optax, 'optax', 'optax_name');
  for (const [where, schedule] of schedulesOf(config)) {
    const { decay_type = 'stair', ...options } = schedule;
    check('schedule', String(decay_type), options, where, `${where}.decay_type`);
  }
  config.sharding_strategy.forEach(([, rules], i) => {
    parseCallString(rules, registry, 'sharding', `sharding_strategy.${i}.1`);
  });

  for (const { data, pp, where } of sourcesOf(config.input)) {
    const { name, ...options } = data;
    check('data', name, options, `${where}.data`, `${where}.data.name`);
    checkPp(pp, `${where}.pp`);
  }

  for (const [name, entry] of Object.entries(config.evals)) {
    const where = `evals.${name}`;
    const { type, options } = splitEvalConfig(name, entry);
    const { implementation } = registry.find(
      'evaluator',
      type,
      entry.type === undefined ? where : `${where}.type`,
    );
    // With the common fields in, a typo of one of them is recognised; alone, the evaluator's own refinements run.
    parseOptions(z.strictObject({ ...evalSchema.shape, ...implementation.options.shape }), entry, where);
    parseOptions(implementation.options, options, where);
    checkEvalInput(options, where, check, checkPp);
  }
  for (const { name, options } of plugins) {
    if (options && isOn(config[name])) parseOptions(options, config[name], name);
  }
}

/** By convention an evaluator's preprocessing is in keys that begin with "pp", and its data source in "data". */
function checkEvalInput(
  options: Readonly<Record<string, unknown>>,
  where: string,
  check: (point: ExtensionPoint, name: string, options: unknown, where: string, nameWhere?: string) => void,
  checkPp: (pp: string, where: string) => void,
): void {
  for (const [key, value] of Object.entries(options)) {
    if (/^pp(_|$)/.test(key) && typeof value === 'string') checkPp(value, `${where}.${key}`);
  }
  const data = options['data'] as { name?: unknown } | undefined;
  if (typeof data?.name !== 'string') return;
  const { name, ...rest } = data;
  check('data', name as string, rest, `${where}.data`, `${where}.data.name`);
}

/** A plugin takes part in a run whose config has its key; null switches it off again (`--config.gsam=null`). */
export function isOn(options: unknown): boolean {
  return options !== undefined && options !== null;
}

/** The model's options as it gets them: `num_classes` stands beside them in a config. */
export function modelOptions(config: Config): Record<string, unknown> {
  return { ...(config.num_classes !== undefined && { num_classes: config.num_classes }), ...config.model };
}

/** Every schedule of the config that isn't null, with the key that holds it. */
export function schedulesOf({
  schedule,
}: Config): [where: string, schedule: Readonly<Record<string, unknown>>][] {
  if (!Array.isArray(schedule)) return [['schedule', schedule as Readonly<Record<string, unknown>>]];
  return schedule.flatMap(([, options], i) => (options === null ? [] : [[`schedule.${i}.1`, options]]));
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
