// Predictions at the resolution of the ground truth.

/**
 * For each of `resized` pixels along an axis the one of `size` that it shows: jax.image.resize, "nearest". Its float32
 * arithmetic as XLA compiles it decides where a pixel lies between two.
 */
export function nearestPixels(size: number, resized: number): number[] {
  const { fround } = Math;
  const scale = fround(size * fround(1 / resized));
  if (size === resized) return Array.from({ length: size }, (_, i) => i);
  return Array.from({ length: resized }, (_, i) => Math.min(size - 1, Math.floor(fround((i + 0.5) * scale))));
}
