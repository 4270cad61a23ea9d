// What both stages of GIVT share for depth (NYU Depth v2): 256 classes of pixels.

export const name = 'nyu_depth_v2';
export const range = { min_depth: 0.001, max_depth: 10 };

const bins = 256;
export const binned = `bin_nyu_depth(min_depth=${range.min_depth}, max_depth=10.0, num_bins=${bins})`;

export const flip = 'randu("fliplr")|det_fliplr(key="image")|det_fliplr(key="labels")';
export const crop = 'inception_box|crop_box(key="image")|crop_box(key="labels")';
export const sizes = (res: number) => `resize(${res})|resize(${res},key="labels",method="nearest")`;

/** The VAE, without what only one stage says of it. */
export const vae = (res: number, patch_size: number) => ({
  input_size: [res, res],
  patch_size: [patch_size, patch_size],
  code_len: 256,
  width: 768,
  enc_depth: 6,
  dec_depth: 12,
  mlp_dim: 3072,
  num_heads: 12,
  codeword_dim: 16,
  code_dropout: 'none',
  bottleneck_resize: true,
  inout_specs: { depth: [0, bins] },
});
