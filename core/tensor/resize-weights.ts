// Resizing along one axis as a matrix: how much each element adds to each element of the result.

interface ResizeOptions {
  readonly alignCorners: boolean;
  readonly halfPixelCenters: boolean;
}

/** Row-major [to, from]. */
export type ResizeWeights = (from: number, to: number, options: ResizeOptions) => Float32Array;

const scaleOf = (from: number, to: number, alignCorners: boolean) =>
  alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to;

export const bilinearWeights: ResizeWeights = (from, to, { alignCorners, halfPixelCenters }) => {
  const weights = new Float32Array(to * from);
  const scale = scaleOf(from, to, alignCorners);
  for (let i = 0; i < to; i++) {
    const source = Math.max(0, halfPixelCenters ? scale * (i + 0.5) - 0.5 : scale * i);
    const low = Math.floor(source);
    const fraction = source - low;
    weights[i * from + Math.min(low, from - 1)]! += 1 - fraction;
    weights[i * from + Math.min(from - 1, Math.ceil(source))]! += fraction;
  }
  return weights;
};

export const nearestWeights: ResizeWeights = (from, to, { alignCorners, halfPixelCenters }) => {
  const weights = new Float32Array(to * from);
  const scale = scaleOf(from, to, alignCorners);
  for (let i = 0; i < to; i++) {
    const source = halfPixelCenters ? scale * (i + 0.5) : scale * i;
    const place = Math.min(from - 1, alignCorners ? Math.round(source) : Math.floor(source));
    weights[i * from + (halfPixelCenters ? Math.max(0, place) : place)] = 1;
  }
  return weights;
};
