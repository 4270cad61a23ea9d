// What the configs of image and text share.

/** Released checkpoints: the model's variant, and where the original keeps them. */
export const inits = {
  // From github.com/google-research/bert, unpacked.
  bert_base: ['base', 'gs://vit_models/lit/bert/uncased_L-12_H-768_A-12'],
  bert_large: ['large', 'gs://vit_models/lit/bert/uncased_L-uncased_L-24_H-1024_A-16'],
  // Those that "How to train your ViT?" (arXiv:2106.10270) recommends.
  'B/32': ['B/32', 'gs://vit_models/augreg/B_32-i21k-300ep-lr_0.001-aug_light1-wd_0.1-do_0.0-sd_0.0.npz'],
  'B/16': ['B/16', 'gs://vit_models/augreg/B_16-i21k-300ep-lr_0.001-aug_medium1-wd_0.1-do_0.0-sd_0.0.npz'],
  'L/16': ['L/16', 'gs://vit_models/augreg/L_16-i21k-300ep-lr_0.001-aug_strong1-wd_0.1-do_0.0-sd_0.0.npz'],
} as const satisfies Readonly<Record<string, readonly [variant: string, checkpoint: string]>>;

/** Retrieval on COCO's test split of 5,000 images with five captions each. */
export function cocoRetrieval(options: {
  readonly pp_img: string;
  /** From "texts" to "labels". */
  readonly pp_txt: string;
  readonly log_steps: number;
}) {
  return {
    type: 'proj.image_text.retrieval',
    dataset: 'coco_captions',
    txt_name: ['captions', 'text'],
    prefix: 'z/retr/coco_',
    ...options,
  };
}
