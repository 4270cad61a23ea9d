// The schema of one config in full: the core's fields, and in their places the options of everything that it names. Tells
// what may be overridden and of which type.

import type { ExtensionPoint, Registry } from '../extensions';
import type { Plugin } from '../plugin';
import { type SchemaNode, viewOf } from '../schema-view';
import { configSchema, evalSchema, inputSchema } from './schema';

type Raw = Readonly<Record<string, unknown>>;

export function configView(config: Raw, registry: Registry, plugins: readonly Plugin[]): SchemaNode {
  const properties: Record<string, SchemaNode> = { ...viewOf(configSchema).properties };
  const place = (key: string, point: ExtensionPoint, name: unknown) => {
    const options = optionsView(registry, point, name);
    if (options) properties[key] = options;
  };
  place('model', 'model', config['model_name']);
  place('optax', 'optimizer', config['optax_name']);
  place('loss_options', 'loss', config['loss'] ?? configSchema.shape.loss.parse(undefined));
  properties['input'] = inputView(config['input'], registry);
  properties['evals'] = evalsView(config['evals'], registry);
  for (const { name, options } of plugins) if (options) properties[name] = viewOf(options);
  return { type: 'object', properties, additionalProperties: false };
}

function optionsView(registry: Registry, point: ExtensionPoint, name: unknown): SchemaNode | undefined {
  if (typeof name !== 'string' || !registry.has(point, name)) return undefined;
  return viewOf(registry.find(point, name).implementation.options);
}

function inputView(input: unknown, registry: Registry): SchemaNode {
  const view = viewOf(inputSchema);
  const data = isObject(input) && isObject(input['data']) ? input['data'] : {};
  const options = optionsView(registry, 'data', data['name']);
  if (!options) return view;
  return { ...view, properties: { ...view.properties, data: withKeys(options, view.properties?.['data']) } };
}

function evalsView(evals: unknown, registry: Registry): SchemaNode {
  const common = viewOf(evalSchema);
  const entries = Object.entries(isObject(evals) ? evals : {}).map(([name, entry]) => {
    const type = isObject(entry) && typeof entry['type'] === 'string' ? entry['type'] : name;
    const options = optionsView(registry, 'evaluator', type);
    return [name, options ? withKeys(options, common) : common] as const;
  });
  return { type: 'object', properties: Object.fromEntries(entries), additionalProperties: common };
}

/** The options' keys and the fields that are always there beside them. */
function withKeys(options: SchemaNode, common: SchemaNode | undefined): SchemaNode {
  return { ...options, properties: { ...options.properties, ...common?.properties } };
}

function isObject(value: unknown): value is Raw {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
