// A model's `load` with the options that a config gives it.

import { z } from 'zod';
import type { HostArray } from '../array';
import type { Config } from '../config/schema';
import { catalogue } from '../errors';
import type { Model, ModelInit, ParamArrays } from '../extensions';
import { parseOptions } from '../options';
import { namedLeaves, type Tree } from '../tree';

const errors = catalogue('train', {
  oneFile: (v: { model: string }) => ({
    what: `model_init has several files, but the model "${v.model}" is loaded from one.`,
    fix: 'give one path.',
  }),
  noLoad: (v: { model: string }) => ({
    what: `The model "${v.model}" can't load parameters, but model_init is set.`,
    fix: 'remove model_init, or resume a whole checkpoint with "resume".',
  }),
});

const stockOptions = z.strictObject({ dont_load: z.array(z.string()).optional() });

/** What turns initial parameters into those of a checkpoint. `where`: the config key of `model_load`. */
export function loaderOf(
  model: Model,
  { model_name, model_init, model_load }: Pick<Config, 'model_name' | 'model_init' | 'model_load'>,
  where = 'model_load',
) {
  if (!model.load) throw errors.noLoad({ model: model_name });
  if (typeof model_init !== 'string' && !model.loadOptions) throw errors.oneFile({ model: model_name });
  const options = parseOptions(model.loadOptions ?? stockOptions, model_load, where);
  return (init: ParamArrays, from: ModelInit) => model.load!(init, from, options);
}

/** What a load changed: how many parameters came from the file, and the names of those that keep their initial values. */
export function describeLoad(before: ParamArrays, after: ParamArrays): string {
  const initial = new Map(namedLeaves<HostArray>(before as Tree<HostArray>));
  const all = namedLeaves<HostArray>(after as Tree<HostArray>);
  const kept = all.filter(([name, array]) => initial.get(name) === array).map(([name]) => name);
  const count = `${all.length - kept.length} of ${all.length} parameters`;
  return kept.length === 0 ? count : `${count}; not loaded: ${kept.join(', ')}`;
}
