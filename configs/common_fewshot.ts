// Few-shot evaluation with the original's usual data sets and settings.

/** Options of an evaluator of the type `fewshot_lsr`. */
export function fewshotLsr(options: { readonly runlocal?: boolean; readonly log_steps?: number } = {}) {
  const { runlocal = false, log_steps = 25_000 } = options;
  const pp = 'decode|resize(256)|central_crop(224)|value_range(-1,1)|keep("image", "label")';
  const pets = ['oxford_iiit_pet', 'train', 'test'];
  return {
    type: 'fewshot_lsr',
    representation_layer: 'pre_logits',
    shots: [1, 5, 10, 25],
    l2_reg: 1024,
    num_seeds: 3,
    // The metrics' names begin with a/ and z/ as they are.
    prefix: '',
    log_steps,
    datasets: runlocal
      ? { pets }
      : {
          caltech: ['caltech101', 'train', 'test'],
          cars: ['cars196:2.1.0', 'train', 'test'],
          cifar100: ['cifar100', 'train', 'test'],
          dtd: ['dtd', 'train', 'test'],
          pets,
          uc_merced: ['uc_merced', 'train[:1000]', 'train[1000:]'],
        },
    pp_train: pp,
    pp_eval: pp,
    display_first: [[runlocal ? 'pets' : 'imagenet', 10]],
  };
}
