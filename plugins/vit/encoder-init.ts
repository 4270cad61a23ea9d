// A ViT's checkpoint for the encoder of a model that also has a decoder.

import { loadParams, mergeParams } from '../../core/checkpoint/load-params';
import { catalogue } from '../../core/errors';
import type { LoadOptions, ModelInit, ParamArrays } from '../../core/extensions';
import { loadVit } from './checkpoint';

const errors = catalogue('vit', {
  encoderAlone: (v: { parts: readonly string[] }) => ({
    what: `model_init names checkpoints for ${v.parts.join(', ') || 'nothing'}, and this model takes one for its encoder.`,
    fix: 'set model_init to {encoder: FILE}, or to one checkpoint of the whole model.',
  }),
});

/** The one checkpoint of `model_init: {encoder: FILE}`. */
export function encoderFile(from: Exclude<ModelInit, string>): string {
  const { encoder: file, ...others } = from;
  if (file === undefined || Object.keys(others).length > 0)
    throw errors.encoderAlone({ parts: Object.keys(from) });
  return file;
}

/**
 * `load` of a model that also has a decoder: a checkpoint of all of it, or `{encoder: FILE}`, a ViT for the part that sees the
 * image. The model calls the ViT's pos_embedding, Transformer and embedding pos_embedding_encoder, encoder and EmbedPatches.
 * @param renamed puts names of old checkpoints of the whole model right
 */
export async function loadWithEncoder(
  init: ParamArrays,
  from: ModelInit,
  { dont_load }: LoadOptions,
  renamed: (loaded: ParamArrays) => ParamArrays = (loaded) => loaded,
): Promise<ParamArrays> {
  if (typeof from === 'string') return mergeParams(renamed(await loadParams(from)), init, dont_load);
  const { pos_embedding_encoder, encoder, EmbedPatches } = init;
  const positions = pos_embedding_encoder && { pos_embedding: pos_embedding_encoder };
  const image = { ...positions, Transformer: encoder, embedding: EmbedPatches } as ParamArrays;
  const loaded = await loadVit(image, encoderFile(from), { dont_load, scan: false });
  return {
    ...init,
    ...(loaded.pos_embedding && { pos_embedding_encoder: loaded.pos_embedding }),
    encoder: loaded.Transformer,
    EmbedPatches: loaded.embedding,
  } as ParamArrays;
}
