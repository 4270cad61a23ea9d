// A model of a checkpoint that answers one image and question at a time.

import { readFile } from 'node:fs/promises';
import type { HostArray } from '../../core/array';
import { createPipeline } from '../../core/call-string';
import { loadParams } from '../../core/checkpoint/load-params';
import type { Batch, Params } from '../../core/extensions';
import { Scope } from '../../core/layers/scope';
import type { Runtime } from '../../core/runtime';
import * as tf from '../../core/tensor';
import { mapTree, type Tree } from '../../core/tree';
import type { Session } from '../../core/workspace/session';
import { exampleRng } from '../../plugins/input';
import { createTokenizer } from '../../plugins/pp';
import { draw } from './decode';
import type { Paligemma } from './model';
import { releasedFile } from './released';

export interface AnswerOptions {
  /** A checkpoint of the whole model: its file, or the short name of a released one. */
  readonly ckpt: string;
  readonly model: Readonly<Record<string, unknown>>;
  readonly tokenizer: string;
  /** Between question and answer. */
  readonly sep: string;
  readonly res: number;
  readonly sampler: string;
  readonly max_decode_len: number;
  /** How many words of a question there is room for. */
  readonly prefill_len: number;
}

/** Reads the checkpoint, and gives a function from an image's file and a question to the answer. */
export async function openAnswerer(
  { registry, container }: Pick<Session, 'registry' | 'container'>,
  runtime: Runtime,
  options: AnswerOptions,
): Promise<(image: string, question: string) => Promise<string>> {
  const { res, sampler, max_decode_len, prefill_len } = options;
  const model = registry.create(
    container,
    'model',
    'proj.paligemma.paligemma',
    options.model,
    'model',
  ) as Paligemma;
  const tokenizer = await createTokenizer(options.tokenizer, registry, container, 'tokenizer');
  const quoted = (text: string) => JSON.stringify(text);
  const pp = [
    `decode|resize(${res})|value_range(-1, 1)`,
    `tok(key="prefix", bos="yes", model=${quoted(options.tokenizer)})`,
    `tok(key="septok", text=${quoted(options.sep)}, model=${quoted(options.tokenizer)})`,
    'masked_concat(["prefix", "septok"], mask_ar=[0, 0], mask_input=[1, 1])',
    `tolen(${prefill_len}, pad_value=0, key="text")`,
    `tolen(${prefill_len}, pad_value=1, key="mask_ar")`,
    `tolen(${prefill_len}, pad_value=0, key="mask_input")`,
    'keep("image", "text", "mask_ar", "mask_input")',
  ].join('|');
  const pipeline = createPipeline(pp, registry, container, 'pp');

  const arrays = (await loadParams(releasedFile(options.ckpt) as string)) as Tree<HostArray>;
  const params = mapTree<HostArray, tf.Tensor, Params>(arrays as never, (array) => runtime.toDevice(array));
  const decode = runtime.jit(
    (params: Params, example: Batch) => {
      const batch = Object.fromEntries(Object.entries(example).map(([key, x]) => [key, tf.expandDims(x)]));
      const drawing = {
        max_decode_len,
        sampler,
        eos_token: tokenizer.eos,
        best_of_n: 1,
        eos_look_behind: 0,
        seed: 0,
      };
      return tf.squeeze(draw(model, Scope.reading(params), batch, drawing).tokens, [0]);
    },
    { name: 'answer' },
  );

  return async (image, question) => {
    const given = { image: new Uint8Array(await readFile(image)), prefix: question };
    const example = await pipeline(given, exampleRng(0, 0, 0));
    const batch = Object.fromEntries(
      Object.entries(example).map(([key, array]) => [key, runtime.toDevice(array as HostArray)]),
    );
    const tokens = decode(params, batch);
    const ids = Array.from((await runtime.toHost(tokens)).data, Number);
    tf.dispose([tokens, ...Object.values(batch)]);
    return tokenizer.decode(ids);
  };
}
