// A ViT's checkpoint for the encoder of a model that also has a decoder.

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
 * `model_init: {encoder: FILE}`: the part that sees the image from a ViT, the rest as it is in `init`, which calls the ViT's
 * pos_embedding, Transformer and embedding pos_embedding_encoder, encoder and EmbedPatches.
 */
export async function loadVitEncoder(
  init: ParamArrays,
  from: Exclude<ModelInit, string>,
  { dont_load }: LoadOptions,
): Promise<ParamArrays> {
  const file = encoderFile(from);
  const { pos_embedding_encoder, encoder, EmbedPatches } = init;
  const positions = pos_embedding_encoder && { pos_embedding: pos_embedding_encoder };
  const image = { ...positions, Transformer: encoder, embedding: EmbedPatches } as ParamArrays;
  const { pos_embedding, Transformer, embedding } = await loadVit(image, file, { dont_load, scan: false });
  return {
    ...init,
    ...(pos_embedding && { pos_embedding_encoder: pos_embedding }),
    encoder: Transformer,
    EmbedPatches: embedding,
  } as ParamArrays;
}
