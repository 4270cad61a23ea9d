// RandAugment and AutoAugment: random sequences of functions of colour and geometry. Magnitudes are given as levels, 10 being
// the strongest that AutoAugment's search knew.

import { z } from 'zod';
import type { ExampleRng, Implementation } from '../../core/extensions';
import * as colour from './colour';
import { describeFeature, errors, type Image, imageOf, keyedOp } from './features';
import * as warp from './warp';

type Bytes = colour.Bytes;

interface Strength {
  /** Half the side of a cutout, and the shift of a translation, at level 10. */
  readonly cutout: number;
  readonly translate: number;
}

/** A function at a level. */
type Augmentation = (image: Bytes, level: number, rng: ExampleRng, strength: Strength) => Bytes;

const signed = (value: number, rng: ExampleRng) => (rng.uniform() < 0.5 ? -value : value);
const enhance = (level: number) => (level / 10) * 1.8 + 0.1;

/** In the original's order, under its names. */
const augmentations = {
  AutoContrast: (image) => colour.autocontrast(image),
  Equalize: (image) => colour.equalize(image),
  Invert: (image) => colour.invert(image),
  Rotate: (image, level, rng) => warp.rotate(image, signed(level * 3, rng), warp.gray),
  Posterize: (image, level) => colour.posterize(image, Math.trunc((level / 10) * 4)),
  Solarize: (image, level) => colour.solarize(image, Math.trunc((level / 10) * 256)),
  Color: (image, level) => colour.color(image, enhance(level)),
  Contrast: (image, level) => colour.contrast(image, enhance(level)),
  Brightness: (image, level) => colour.brightness(image, enhance(level)),
  Sharpness: (image, level) => colour.sharpness(image, enhance(level)),
  ShearX: (image, level, rng) => warp.shearX(image, signed((level / 10) * 0.3, rng), warp.gray),
  ShearY: (image, level, rng) => warp.shearY(image, signed((level / 10) * 0.3, rng), warp.gray),
  TranslateX: (image, level, rng, { translate }) =>
    warp.translateX(image, signed((level / 10) * translate, rng), warp.gray),
  TranslateY: (image, level, rng, { translate }) =>
    warp.translateY(image, signed((level / 10) * translate, rng), warp.gray),
  Cutout: (image, level, rng, { cutout }) =>
    warp.cutout(image, Math.trunc((level / 10) * cutout), warp.gray, rng),
  SolarizeAdd: (image, level) => colour.solarizeAdd(image, Math.trunc((level / 10) * 110)),
} satisfies Record<string, Augmentation>;
type Name = keyof typeof augmentations;
const names = Object.keys(augmentations) as readonly Name[];

function bytesOf(op: string, key: string, image: Image): Bytes {
  if (image.dtype === 'uint8' && image.shape[2] === 3) return image as Bytes;
  throw errors.kind({
    op,
    key,
    found: describeFeature(image),
    expected: 'a uint8 image with three channels',
    fix: `put ${op} behind decode and before value_range.`,
  });
}

const randaug = keyedOp('randaug', {
  doc: 'RandAugment (Cubuk et al., arXiv:1909.13719): applies random functions of colour and geometry, one after the other, all at one magnitude. Takes uint8 images.',
  options: {
    num_layers: z.int().min(0).default(2).describe('how many functions are applied; 1 to 3 are usual'),
    magnitude: z.number().default(10).describe('their strength; 5 to 30 are usual'),
  },
  positional: ['num_layers', 'magnitude'],
  make:
    ({ num_layers, magnitude }) =>
    (value, rng, key) => {
      let image = bytesOf('randaug', key, imageOf(value, key, 'randaug'));
      for (let layer = 0; layer < num_layers; layer++) {
        const name = names[rng.integer(0, names.length)] as Name;
        image = (augmentations[name] as Augmentation)(image, magnitude, rng, { cutout: 40, translate: 100 });
      }
      return image;
    },
});

type Step = readonly [Name, probability: number, level: number];

/** AutoAugment's policies: one of the pairs is drawn, and each of its steps happens with its probability. */
const policies: Readonly<Record<'v0' | 'test', readonly (readonly Step[])[]>> = {
  v0: [
    [['Equalize', 0.8, 1], ['ShearY', 0.8, 4]],
    [['Color', 0.4, 9], ['Equalize', 0.6, 3]],
    [['Color', 0.4, 1], ['Rotate', 0.6, 8]],
    [['Solarize', 0.8, 3], ['Equalize', 0.4, 7]],
    [['Solarize', 0.4, 2], ['Solarize', 0.6, 2]],
    [['Color', 0.2, 0], ['Equalize', 0.8, 8]],
    [['Equalize', 0.4, 8], ['SolarizeAdd', 0.8, 3]],
    [['ShearX', 0.2, 9], ['Rotate', 0.6, 8]],
    [['Color', 0.6, 1], ['Equalize', 1, 2]],
    [['Invert', 0.4, 9], ['Rotate', 0.6, 0]],
    [['Equalize', 1, 9], ['ShearY', 0.6, 3]],
    [['Color', 0.4, 7], ['Equalize', 0.6, 0]],
    [['Posterize', 0.4, 6], ['AutoContrast', 0.4, 7]],
    [['Solarize', 0.6, 8], ['Color', 0.6, 9]],
    [['Solarize', 0.2, 4], ['Rotate', 0.8, 9]],
    [['Rotate', 1, 7], ['TranslateY', 0.8, 9]],
    [['ShearX', 0, 0], ['Solarize', 0.8, 4]],
    [['ShearY', 0.8, 0], ['Color', 0.6, 4]],
    [['Color', 1, 0], ['Rotate', 0.6, 2]],
    [['Equalize', 0.8, 4], ['Equalize', 0, 8]],
    [['Equalize', 1, 4], ['AutoContrast', 0.6, 2]],
    [['ShearY', 0.4, 7], ['SolarizeAdd', 0.6, 7]],
    [['Posterize', 0.8, 2], ['Solarize', 0.6, 10]],
    [['Solarize', 0.6, 8], ['Equalize', 0.6, 1]],
    [['Color', 0.8, 6], ['Rotate', 0.4, 5]],
  ], // prettier-ignore
  test: [[['TranslateX', 1, 4], ['Equalize', 1, 10]]], // prettier-ignore
};

const autoaugment = keyedOp('autoaugment', {
  doc: 'AutoAugment (Cubuk et al., arXiv:1805.09501): applies a random pair of functions of colour and geometry out of 25 that a search found. Takes uint8 images.',
  options: {
    policy: z
      .enum(['v0', 'test'])
      .default('v0')
      .describe("v0 is the paper's; test always shifts and equalizes"),
  },
  positional: ['policy'],
  make:
    ({ policy }) =>
    (value, rng, key) => {
      const steps = policies[policy][rng.integer(0, policies[policy].length)] as readonly Step[];
      return steps.reduce(
        (image, [name, probability, level]) =>
          rng.uniform() < probability
            ? (augmentations[name] as Augmentation)(image, level, rng, { cutout: 100, translate: 250 })
            : image,
        bytesOf('autoaugment', key, imageOf(value, key, 'autoaugment')),
      );
    },
});

export const augmentOps: Readonly<Record<string, Implementation<'pp'>>> = { randaug, autoaugment };
