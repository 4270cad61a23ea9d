// BERT's parameters from a file: of the original or this project, or as its authors released them, in TensorFlow's form.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { type HostArray, hostArray } from '../../core/array';
import { loadParams, mergeParams } from '../../core/checkpoint/load-params';
import type { ParamArrays } from '../../core/extensions';
import { namedLeaves, nest } from '../../core/tree';
import { readTensorflow } from './tensorflow';

/** Parts of names in the released checkpoints, and what they are here. */
const renamed: readonly (readonly [RegExp, string])[] = [
  [/^embeddings\/word_embeddings$/, 'embedder/embedders_token_ids/embedding'],
  [/^embeddings\/position_embeddings$/, 'embedder/embedders_position_ids/embedding'],
  [/^embeddings\/token_type_embeddings$/, 'embedder/embedders_segment_ids/embedding'],
  [/^embeddings\/LayerNorm/, 'layer_norm'],
  [/^encoder\/layer_(\d+)\//, 'encoder_block/layer_sequence/layers_$1/'],
  [/\/attention\/self\//, '/attention_block/attention_layer/'],
  [/\/attention\/output\/dense/, '/attention_block/dense_layer'],
  [/\/attention\/output\/LayerNorm/, '/attention_block/layer_norm'],
  [/\/intermediate\/dense/, '/mlp_block/mlp/dense_layer'],
  [/\/output\/dense/, '/mlp_block/dense_layer'],
  [/\/output\/LayerNorm/, '/mlp_block/layer_norm'],
  [/\/gamma$/, '/scale'],
  [/\/beta$/, '/bias'],
];

/**
 * @param location a file of the original's or of this project, or a folder with bert_model.ckpt.index: of that the first
 *   positions are taken where the model has fewer
 */
export async function loadBert(
  init: ParamArrays,
  location: string,
  { dont_load }: { readonly dont_load?: readonly string[] },
): Promise<ParamArrays> {
  const released = path.join(location, 'bert_model.ckpt');
  const isReleased = fs.existsSync(`${released}.index`);
  const loaded = isReleased ? await loadReleased(released, init) : await loadParams(location);
  return mergeParams(loaded, init, dont_load);
}

async function loadReleased(prefix: string, init: ParamArrays): Promise<ParamArrays> {
  const shapes = new Map(namedLeaves<HostArray>(init).map(([name, { shape }]) => [name, shape]));
  const variables = [...(await readTensorflow(prefix))].flatMap(([name, array]) => {
    const [, own] = /^bert\/((?:embeddings|encoder)\/.*)$/.exec(name) ?? [];
    if (own === undefined) return [];
    const here = renamed.reduce((text, [from, to]) => text.replace(from, to), own);
    const [rows = 0] = shapes.get(`BertEncoder_0/${here}`) ?? [];
    return [[here, here === positions ? firstRows(array, rows) : array] as const];
  });
  return { BertEncoder_0: nest(variables) };
}

const positions = 'embedder/embedders_position_ids/embedding';

function firstRows(array: HostArray, rows: number): HostArray {
  const [has, width] = array.shape as [number, number];
  if (rows >= has) return array;
  return hostArray('float32', [rows, width], Float32Array.from(array.data.subarray(0, rows * width)));
}
