// What the configs of JetFormer have in common: sizes, patches and the flow between them and tokens, the optimizer.

import type { ConfigInput } from '../../../core/config/schema';

/** Sizes of the transformer, and the blocks of each ViT in the flow. */
const sizes = {
  '350M': { width: 1024, depth: 24, mlp_dim: 4096, head_dim: 64, flowBlocks: 4 },
  '1p3B': { width: 1536, depth: 48, mlp_dim: 6144, head_dim: 96, flowBlocks: 6 },
} as const;
export type Size = keyof typeof sizes;

export interface Shape {
  readonly model_size: Size;
  readonly res: number;
  readonly patch_size: number;
  readonly depth_to_seq: number;
  readonly use_adaptor: boolean;
  readonly runlocal: boolean;
}

/** Numbers of a token that the transformer sees, of those that a patch has. */
const seen = 128;

/** The transformer, without its vocabulary. */
export function transformer({ model_size, depth_to_seq, runlocal }: Shape) {
  const { width, depth, mlp_dim, head_dim } = sizes[model_size];
  return {
    width,
    depth: runlocal ? 2 : depth,
    mlp_dim,
    head_dim,
    num_heads: 16,
    num_kv_heads: 1,
    out_dim: Math.floor(seen / depth_to_seq),
    num_mixtures: 1024,
    scale_tol: 1e-6,
    dropout: 0.1,
    drop_labels_probability: 0.1,
    head_dtype: 'bfloat16',
    scan: true,
    remat_policy: 'nothing_saveable',
  };
}

/** Images as patches of pixels with noise that fills their steps; a flow makes tokens of them, of which a part is seen. */
export function imageTokens({ model_size, res, patch_size, depth_to_seq, use_adaptor, runlocal }: Shape) {
  const codeword_dim = Math.floor(seen / depth_to_seq);
  return {
    patch_pca: {
      depth_to_seq,
      input_size: [res, res],
      patch_size: [patch_size, patch_size],
      code_len: Math.floor(res / patch_size) ** 2 * depth_to_seq,
      codeword_dim,
      noise_std: 0,
      add_dequant_noise: true,
      skip_pca: true,
    },
    adaptor: use_adaptor
      ? {
          depth: runlocal ? 1 : 32,
          block_depth: sizes[model_size].flowBlocks,
          emb_dim: 512,
          num_heads: 8,
          ps: 1,
          kinds: ['channels'],
          channels_coupling_projs: ['random'],
          spatial_coupling_projs: ['checkerboard', 'checkerboard-inv'],
        }
      : null,
    latent_noise_dim: 16 * 16 * 3 - codeword_dim,
    input_noise_std: 0.3,
    noise_scale: 64,
    loss_on_prefix: false,
  };
}

/** Adam, and parameters in parts over a mesh of slices, replicas and devices. */
export function training({ num_slices, num_replicas }: { num_slices: number; num_replicas: number }) {
  return {
    seed: 0,
    optax_name: 'scale_by_adam',
    optax: { b2: 0.95 },
    grad_clip_norm: 1.0,
    lr: 1e-3,
    wd: 1e-4,
    wd_mults: [
      ['^decoder/layers/attn/.*', 1.0],
      ['^decoder/layers/mlp/.*', 1.0],
      ['.*/kernel$', 1.0],
    ],
    schedule: [
      ['.*FREEZE_ME.*', null],
      ['.*', { decay_type: 'cosine', warmup_percent: 0.1 }],
    ],
    sharding_strategy: [
      ['.*FREEZE_ME.*', 'replicate'],
      ['.*', 'fsdp(axis="fsdp")'],
    ],
    mesh: [
      ['slice', num_slices],
      ['replica', num_replicas],
      ['fsdp', -1],
    ],
    sharding_rules: [['act_batch', ['slice', 'replica', 'fsdp']]],
  } satisfies Partial<ConfigInput>;
}

/** The first 16 examples of a split, to try out that a config runs. */
export const firstFew = (split: string): string => `${split.split('[')[0]}[:16]`;
