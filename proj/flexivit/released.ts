// Short names of released FlexiViTs, and of the plain ViTs that the paper compares them with, beside those of ViTs.

const bucket = 'gs://big_vision/flexivit/';

const files: Readonly<Record<string, string>> = {
  'FlexiViT-L i1k': 'flexivit_l_i1k',
  'FlexiViT-B i1k': 'flexivit_b_i1k',
  'FlexiViT-S i1k': 'flexivit_s_i1k',
  'FlexiViT-B i21k 90ep': 'flexivit_b_i21k_90ep',
  'FlexiViT-B i21k 300ep': 'flexivit_b_i21k_300ep',
  'FlexiViT-B i21k 1000ep': 'flexivit_b_i21k_1000ep',
  'ViT-B/16 i21k': 'vit_b16_i21k_300ep',
  'ViT-B/30 i21k': 'vit_b30_i21k_300ep',
};

/** Paths in their bucket by name. */
export const releasedFlexi: ReadonlyMap<string, string> = new Map(
  Object.entries(files).map(([name, file]) => [name, `${bucket}${file}.npz`]),
);
