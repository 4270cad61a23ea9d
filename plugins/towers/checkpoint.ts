// Parameters of the towers: all from one file, or each from its own.

import { z } from 'zod';
import type { HostArray } from '../../core/array';
import { loadParam } from '../../core/checkpoint/load-params';
import { catalogue } from '../../core/errors';
import type { LoadOptions, Model, ModelInit, ParamArrays } from '../../core/extensions';
import { didYouMean } from '../../core/suggest';
import { findReleased } from '../vit';

/** How to load one tower: the schema of `img_load_kw`. */
export const towerLoadOptions = z
  .strictObject({
    dont_load: z.array(z.string()).optional().describe('patterns of names that keep their initial values'),
  })
  .default({});

const errors = catalogue('towers', {
  parts: (v: { part: string; known: readonly string[] }) => ({
    what: `model_init has a file for "${v.part}", which the model has not.${didYouMean(v.part, v.known)}`,
    fix: `one of: ${v.known.join(', ')}.`,
  }),
  noLoad: (v: { part: string }) => ({
    what: `The model of "${v.part}" can't load parameters.`,
    fix: `leave "${v.part}" out of model_init.`,
  }),
  released: (v: { name: string; url: string; path: string }) => ({
    what: `"${v.name}" is a released checkpoint, and nothing is downloaded here.`,
    fix: `download ${v.url} and set model_init to ${v.path}.`,
  }),
});

/** The original's other names for the parts. */
const aliases: Readonly<Record<string, string>> = {
  image: 'img',
  text: 'txt',
  temperature: 't',
  bias: 'b',
};

/**
 * Parameters of a model whose parts are towers and single parameters.
 * @param options for each tower's loader, by `${part}_load_kw`
 * @param from one checkpoint of the whole model, whose parts are `FILE:img`, `FILE:txt`, `FILE:t` and `FILE:b`; or a
 *   checkpoint for some of `img`, `txt`, `t`, `b`: what isn't named keeps its initial values
 */
export async function loadTowers(
  towers: Readonly<Record<string, Pick<Model, 'load'>>>,
  init: ParamArrays,
  from: ModelInit,
  options: LoadOptions,
): Promise<ParamArrays> {
  const known = Object.keys(init);
  const loaded: ParamArrays = { ...init };
  for (const [part, file] of Object.entries(filesOf(from, known))) {
    const initial = init[part] as ParamArrays | HostArray | undefined;
    if (initial === undefined) throw errors.parts({ part, known });
    const tower = towers[part];
    if (!tower) {
      loaded[part] = await loadParam(file);
      continue;
    }
    if (!tower.load) throw errors.noLoad({ part });
    loaded[part] = await tower.load(initial as ParamArrays, file, options[`${part}_load_kw`] as LoadOptions);
  }
  return loaded;
}

/** The checkpoint of each part by its own name. */
function filesOf(from: ModelInit, parts: readonly string[]): Record<string, string> {
  if (typeof from === 'string') {
    const released = findReleased(from);
    if (released)
      throw errors.released({ name: from, ...released, path: released.path.replace(/:\w+$/, '') });
    return Object.fromEntries(parts.map((part) => [part, `${from}:${part}`]));
  }
  return Object.fromEntries(Object.entries(from).map(([part, file]) => [aliases[part] ?? part, file]));
}
