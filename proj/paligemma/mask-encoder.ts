// From a mask to its 16 tokens: the encoder of a VQ-VAE (arXiv:2301.02229), on the host, since preprocessing runs there.

import type { HostArray } from '../../core/array';
import { loadParams } from '../../core/checkpoint/load-params';
import { toFloat32 } from '../../core/half';

/** [height, width, channels]; squares alone. */
interface Grid {
  readonly side: number;
  readonly channels: number;
  readonly data: Float32Array;
}

type Weights = ReadonlyMap<string, HostArray<'float32'>>;

/** PyTorch's kernels are [out, in, height, width]; padding as TensorFlow's "SAME". */
function conv(weights: Weights, name: string, x: Grid, stride: number): Grid {
  const kernel = weights.get(`${name}.weight`) as HostArray<'float32'>;
  const bias = (weights.get(`${name}.bias`) as HostArray<'float32'>).data;
  const [outputs, inputs, size] = kernel.shape as [number, number, number, number];
  const side = Math.ceil(x.side / stride);
  const before = Math.floor(Math.max(0, (side - 1) * stride + size - x.side) / 2);
  const data = new Float32Array(side * side * outputs);
  const patch = new Float32Array(inputs * size * size);
  for (let row = 0; row < side; row++) {
    for (let column = 0; column < side; column++) {
      patch.fill(0);
      for (let i = 0; i < size; i++) {
        const y = row * stride + i - before;
        if (y < 0 || y >= x.side) continue;
        for (let j = 0; j < size; j++) {
          const z = column * stride + j - before;
          if (z < 0 || z >= x.side) continue;
          const from = (y * x.side + z) * inputs;
          for (let c = 0; c < inputs; c++) patch[(c * size + i) * size + j] = x.data[from + c] as number;
        }
      }
      const at = (row * side + column) * outputs;
      for (let o = 0; o < outputs; o++) {
        let sum = 0;
        const offset = o * patch.length;
        for (let k = 0; k < patch.length; k++)
          sum += (patch[k] as number) * (kernel.data[offset + k] as number);
        data[at + o] = sum + (bias[o] as number);
      }
    }
  }
  return { side, channels: outputs, data };
}

const relu = (x: Grid): Grid => ({ ...x, data: x.data.map((value) => Math.max(0, value)) });

function block(weights: Weights, name: string, x: Grid): Grid {
  const first = relu(conv(weights, `${name}.0`, x, 1));
  const second = relu(conv(weights, `${name}.2`, first, 1));
  const third = conv(weights, `${name}.4`, second, 1);
  return { ...third, data: third.data.map((value, i) => value + (x.data[i] as number)) };
}

/** For each place the nearest of the embeddings. */
function nearest(x: Grid, embeddings: HostArray<'float32'>): number[] {
  const [codes, width] = embeddings.shape as [number, number];
  return Array.from({ length: x.side ** 2 }, (_, place) => {
    let [best, least] = [0, Infinity];
    for (let code = 0; code < codes; code++) {
      let distance = 0;
      for (let c = 0; c < width; c++)
        distance +=
          ((x.data[place * width + c] as number) - (embeddings.data[code * width + c] as number)) ** 2;
      if (distance < least) [best, least] = [code, distance];
    }
    return best;
  });
}

/** Reads an encoder, and gives a function from masks, float32 [64, 64, 1] in [0, 1], to 16 codes. */
export async function maskEncoder(file: string): Promise<(mask: HostArray<'float32'>) => number[]> {
  const arrays = Object.entries(await loadParams(file)) as [string, HostArray][];
  const weights = new Map(arrays.map(([name, array]) => [name, toFloat32(array)]));
  return (mask) => {
    let x: Grid = { side: 64, channels: 1, data: mask.data.map((value) => 2 * (value - 0.5)) };
    for (let i = 0; i < 4; i++) x = relu(conv(weights, `encoder.${2 * i}`, x, 2));
    for (const name of ['encoder.8.net', 'encoder.9.net']) x = block(weights, name, x);
    return nearest(conv(weights, 'encoder.10', x, 1), weights.get('_vq_vae._embedding')!);
  };
}
