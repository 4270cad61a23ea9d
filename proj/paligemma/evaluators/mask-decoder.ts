// From the 16 tokens of a mask to the mask: the decoder of a VQ-VAE (arXiv:2301.02229), whose weights come from PyTorch.

import type { HostArray } from '../../../core/array';
import { loadParams } from '../../../core/checkpoint/load-params';
import type { Params } from '../../../core/extensions';
import type { Runtime } from '../../../core/runtime';
import * as tf from '../../../core/tensor';
import { maskFile } from '../mask-file';

type Weights = Readonly<Record<string, tf.Tensor>>;

/** PyTorch has [out, in, height, width]. */
const kernelOf = (weights: Weights, name: string) => tf.transpose(weights[`${name}.weight`]!, [2, 3, 1, 0]);

const conv = (weights: Weights, name: string, x: tf.Tensor) =>
  tf.add(
    tf.conv2d(x as tf.Tensor4D, kernelOf(weights, name) as tf.Tensor4D, 1, 'same'),
    weights[`${name}.bias`]!,
  );

/** Twice as high and wide, by a kernel of 4 x 4: [batch, height, width, channels]. */
function upsample(weights: Weights, name: string, x: tf.Tensor): tf.Tensor {
  const [batch, height, width, channels] = x.shape as [number, number, number, number];
  const zeros = tf.zerosLike(x);
  const across = tf.reshape(tf.stack([x, zeros], 3), [batch, height, 2 * width, channels]);
  const spread = tf.reshape(tf.stack([across, tf.zerosLike(across)], 2), [
    batch,
    2 * height,
    2 * width,
    channels,
  ]);
  const padded = tf.pad(spread, [[0, 0], [2, 1], [2, 1], [0, 0]]); // prettier-ignore
  // Here PyTorch has [in, out, height, width].
  const kernel = tf.reverse(tf.transpose(weights[`${name}.weight`]!, [2, 3, 0, 1]), [0, 1]);
  const y = tf.conv2d(padded as tf.Tensor4D, kernel as tf.Tensor4D, 1, 'valid');
  return tf.add(y, weights[`${name}.bias`]!);
}

function block(weights: Weights, name: string, x: tf.Tensor): tf.Tensor {
  const first = tf.relu(conv(weights, `${name}.0`, x));
  const second = tf.relu(conv(weights, `${name}.2`, first));
  return tf.add(conv(weights, `${name}.4`, second), x);
}

/**
 * @param codes int32 [batch, 16], from 0 to 127
 * @returns float [batch, 64, 64, 1], above 0 inside of the mask
 */
function decodeMasks(weights: Weights, codes: tf.Tensor): tf.Tensor {
  const embeddings = weights['_vq_vae._embedding']!;
  const grid = [codes.shape[0] as number, 4, 4, embeddings.shape[1] as number];
  const code = tf.reshape(tf.gather(embeddings, tf.reshape(codes, [-1]) as tf.Tensor1D), grid);
  let x = tf.relu(conv(weights, 'decoder.0', code));
  for (const name of ['decoder.2.net', 'decoder.3.net']) x = block(weights, name, x);
  for (const name of ['decoder.4', 'decoder.6', 'decoder.8', 'decoder.10'])
    x = tf.relu(upsample(weights, name, x));
  return conv(weights, 'decoder.12', x);
}

/** Reads a decoder, and gives a function from int32 [16] to float32 [64, 64, 1]. */
export async function maskDecoder(
  runtime: Runtime,
  model: string,
): Promise<(codes: HostArray) => Promise<HostArray>> {
  const arrays = Object.entries(await loadParams(maskFile(model))).filter(
    ([name]) => !name.startsWith('encoder'),
  );
  const weights = Object.fromEntries(
    arrays.map(([name, array]) => [name, runtime.toDevice(array as HostArray)]),
  );
  const decode = runtime.jit(
    (known: Params, codes: tf.Tensor) => tf.squeeze(decodeMasks(known as Weights, tf.expandDims(codes)), [0]),
    { name: 'mask decoder' },
  );
  return async (codes) => {
    const sent = runtime.toDevice(codes);
    const mask = decode(weights, sent);
    const found = await runtime.toHost(mask);
    tf.dispose([sent, mask]);
    return found;
  };
}
