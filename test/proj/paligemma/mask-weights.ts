// The decoder of masks that test/golden/make_paligemma_evals.py makes up.

import { hostArray, sizeOf } from '../../../core/array';

export const weights: Readonly<Record<string, readonly [number, number, number, number]>> = {
  'decoder.0': [128, 512, 1, 1],
  ...Object.fromEntries(
    ['decoder.2.net', 'decoder.3.net'].flatMap((name) => [
      [`${name}.0`, [128, 128, 3, 3]],
      [`${name}.2`, [128, 128, 3, 3]],
      [`${name}.4`, [128, 128, 1, 1]],
    ]),
  ),
  'decoder.4': [128, 128, 4, 4],
  'decoder.6': [128, 64, 4, 4],
  'decoder.8': [64, 32, 4, 4],
  'decoder.10': [32, 16, 4, 4],
  'decoder.12': [1, 16, 1, 1],
};

export const wave = (shape: readonly number[], scale: number) =>
  hostArray(
    'float32',
    shape,
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => scale * Math.sin(i ** 2 % 1000)),
  );

/** Arrays by the names of the file, as PyTorch has them. */
export function decoderArrays() {
  const arrays = Object.entries(weights).flatMap(([name, shape]) => {
    const [a, b, ...kernel] = shape;
    // Kernels of 4 x 4 are of transposed convolutions: [in, out, 4, 4].
    const [inputs, outputs] = kernel[0] === 4 ? [a, b] : [b, a];
    return [
      [`${name}.weight`, wave(shape, 2 / Math.sqrt(sizeOf(kernel) * inputs))],
      [`${name}.bias`, wave([outputs], 0.1)],
    ] as const;
  });
  return {
    '_vq_vae._embedding': wave([128, 512], 1),
    ...Object.fromEntries(arrays),
    // So that masks have an inside and an outside.
    'decoder.12.bias': hostArray('float32', [1], [-0.15]),
  };
}
