// What the base configs share. Each resolves to the values of the original's config of the same name. Left out is what
// only steers the original's input pipeline (shuffle_buffer_size, cache*, pp_modules, prefetch_to_device): here the order
// of the data needs no buffer.

import { catalogue } from '../core/errors';
import { didYouMean } from '../core/suggest';

const errors = catalogue('config-arg', {
  choice: (v: { name: string; value: string; known: readonly string[] }) => ({
    what: `The config argument "${v.name}" is "${v.value}", which this config has no settings for.${didYouMean(v.value, v.known)}`,
    fix: `one of: ${v.known.join(', ')}.`,
  }),
});

/** The setting that the argument `name` of a config chooses. */
export function choose<T>(name: string, value: string, settings: Readonly<Record<string, T>>): T {
  const setting = Object.hasOwn(settings, value) ? settings[value] : undefined;
  if (setting === undefined) throw errors.choice({ name, value, known: Object.keys(settings) });
  return setting;
}

/** A classification evaluator on a data set that has TFDS's name. */
export function classify(
  name: string,
  split: string,
  options: { readonly pp_fn: string; readonly loss_name: string; readonly log_steps?: number },
) {
  return { type: 'classification', data: { name, split }, ...options };
}

/** Ends preprocessing: pixels from -1 to 1, and labels as vectors. */
export const finish = (classes: number, label = 'label') =>
  `value_range(-1, 1)|onehot(${classes}, key="${label}", key_result="labels")|keep("image", "labels")`;

/** The evaluations of a run on ImageNet-1k: seen images, held-out ones, the validation set, v2 and the ReaL labels. */
export function imagenetEvals(options: {
  /** Preprocessing with the labels of this name. */
  readonly pp: (label: string) => string;
  readonly loss_name: string;
  readonly log_steps: number;
  /** A few images only. */
  readonly few?: boolean;
}) {
  const { pp, loss_name, log_steps, few = false } = options;
  const of = (name: string, folder: string, part = '', label = 'label') =>
    classify(name, `${folder}${few ? '[:16]' : part}`, { pp_fn: pp(label), loss_name, log_steps });
  return {
    train: of('imagenet2012', 'train', '[:2%]'),
    minival: of('imagenet2012', 'train', '[99%:]'),
    val: of('imagenet2012', 'validation'),
    v2: of('imagenet_v2', 'test'),
    real: of('imagenet2012_real', 'validation', '', 'real_label'),
  };
}

/** The evaluations of a run on ImageNet-21k, on images of its only split that it doesn't train on, and on some that it does. */
export function imagenet21kEvals(options: {
  readonly pp_fn: string;
  readonly loss_name: string;
  readonly few?: boolean;
}) {
  const { pp_fn, loss_name, few = false } = options;
  const of = (part: string) =>
    classify('imagenet21k', `full${few ? '[:16]' : part}`, { pp_fn, loss_name, log_steps: 1000 });
  return { test: of('[:25_600]'), val: of('[25_600:51_200]'), train: of('[51_200:76_800]') };
}

/** Strengths of augmentation in "How to train your ViT?" (arXiv:2106.10270): RandAugment, and mixup's p. */
const augmentations = {
  none: { randaug: '', mixup: 0 },
  light1: { randaug: 'randaug(2,0)|', mixup: 0 },
  light2: { randaug: 'randaug(2,10)|', mixup: 0.2 },
  medium1: { randaug: 'randaug(2,15)|', mixup: 0.2 },
  medium2: { randaug: 'randaug(2,15)|', mixup: 0.5 },
  strong1: { randaug: 'randaug(2,20)|', mixup: 0.5 },
  strong2: { randaug: 'randaug(2,20)|', mixup: 0.8 },
};

export const augmentation = (strength: string) => choose('aug', strength, augmentations);
