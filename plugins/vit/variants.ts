// Named sizes, from table 2 of "Scaling Vision Transformers" (arXiv:2106.04560), "Getting ViT in Shape"
// (arXiv:2305.13035) for So400m, and SigLIP 2 (arXiv:2502.14786) for g-opt.

export interface Size {
  readonly width: number;
  readonly depth: number;
  readonly mlp_dim: number;
  readonly num_heads: number;
}

const size = (width: number, depth: number, mlp_dim: number, num_heads: number): Size => ({
  width,
  depth,
  mlp_dim,
  num_heads,
});

export const sizes: Readonly<Record<string, Size>> = {
  mu: size(32, 1, 128, 2),
  Ti: size(192, 12, 768, 3),
  S: size(384, 12, 1536, 6),
  M: size(512, 12, 2048, 8),
  B: size(768, 12, 3072, 12),
  L: size(1024, 24, 4096, 16),
  So400m: size(1152, 27, 4304, 16),
  H: size(1280, 32, 5120, 16),
  g: size(1408, 40, 6144, 16),
  'g-opt': size(1536, 40, 6144, 16),
  G: size(1664, 48, 8192, 16),
  'G-opt': size(1536, 48, 8192, 16),
  e: size(1792, 56, 15360, 16),
};

/**
 * What a name such as `B` or `B/16` stands for, or undefined if there is no such name: the size, and the side of the
 * patches if it is given.
 */
export function decodeVariant(
  variant: string,
): (Size & { readonly patch_size?: [number, number] }) | undefined {
  const [, name = '', side] = /^([^/]+)(?:\/([1-9]\d*))?$/.exec(variant) ?? [];
  const found = Object.hasOwn(sizes, name) ? sizes[name] : undefined;
  return found && (side === undefined ? found : { ...found, patch_size: [Number(side), Number(side)] });
}
