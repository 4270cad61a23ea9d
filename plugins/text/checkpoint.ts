// Parameters of a text transformer from a file of any age.

import type { HostArray } from '../../core/array';
import { loadParams, mergeParams } from '../../core/checkpoint/load-params';
import { catalogue } from '../../core/errors';
import type { ParamArrays } from '../../core/extensions';
import { isDict } from '../../core/tree';
import { convertPreLinen } from '../layers';
import { addArrays } from '../vit';

const errors = catalogue('text', {
  notText: (v: { file: string; found: readonly string[] }) => ({
    what: `"${v.file}" doesn't hold the parameters of a text transformer: it has ${v.found.join(', ')} and no "Encoder_0".`,
    fix: 'name the part of it that is one after a colon, as in ./siglip.npz:txt.',
  }),
});

/**
 * Parameters for the model that `init` is of; names that match a pattern of `dont_load` keep their initial values. The
 * length of the texts has to be the checkpoint's.
 */
export async function loadText(
  init: ParamArrays,
  file: string,
  { dont_load }: { readonly dont_load?: readonly string[] },
): Promise<ParamArrays> {
  const loaded = convertPreLinen(await loadParams(file));
  if (!isDict(loaded.Encoder_0)) throw errors.notText({ file, found: Object.keys(loaded) });
  return mergeParams(joinPosembs(loaded), init, dont_load);
}

/** Some old models add a second position embedding inside of the encoder, by mistake: the sum of both is the embedding. */
function joinPosembs(params: ParamArrays): ParamArrays {
  const { pos_embedding: second, ...encoder } = params.Encoder_0 as ParamArrays;
  if (!second) return params;
  const pos_embedding = addArrays(params.pos_embedding as HostArray, second as HostArray);
  return { ...params, Encoder_0: encoder, pos_embedding };
}
