// Runs recorded cases of JetFormer: the transformer, drawing from it, and patches.

import type { Params } from '../../core/extensions';
import { Scope } from '../../core/layers/scope';
import { parseOptions } from '../../core/options';
import { arraysBeside, caseParams, fetchAll, modelRunner, sendAll } from '../../core/parity';
import type { ParityRunner } from '../../core/parity/case';
import * as tf from '../../core/tensor';
import { jetformer, jetformerOptions } from './model';
import { noiseKeys, patchPca, patchPcaOptions, type Pca } from './patch_pca';
import { type Sampled, sampleImages, sampleTexts } from './sample';

type Parts = Readonly<Record<string, tf.Tensor>>;

/** What the original's `sample_image_latents` takes. */
interface ImageDraw {
  readonly cfg_weight?: number;
  readonly temperature?: number;
  readonly temperature_probs?: number;
}

export const jetformerRunners: Readonly<Record<string, ParityRunner>> = {
  'model proj/jetformer/jetformer': modelRunner({
    losses: {
      nll: ({ out }) => {
        const { text_log_prob, image_log_prob } = out as Parts;
        return tf.neg(tf.add(tf.mean(text_log_prob!), tf.mean(image_log_prob!)));
      },
    },
  }),

  // Images after texts with each of `images`, texts after images, and after images and the texts.
  'model trainers/proj/jetformer/predict_fns': async (recorded, services) => {
    const { runtime } = services;
    const args = recorded.args as unknown as {
      readonly images: Readonly<Record<string, ImageDraw>>;
      readonly texts: { readonly temperature: number };
      readonly seeds: Readonly<Record<'images' | 'texts', number>>;
    };
    const model = jetformer(parseOptions(jetformerOptions, recorded.args.model, 'args.model'));
    const [images, texts] = [args.seeds.images, args.seeds.texts].map((seed) =>
      runtime.toDevice(tf.random.keyArray(tf.random.key(seed))),
    ) as [tf.Tensor, tf.Tensor];
    const draw = (params: Params, { text, text_mask, image_tokens: image }: Parts, keys: Parts) => {
      const scope = Scope.reading(params);
      const given = { text: text!, textMask: tf.cast(text_mask!, 'bool') };
      const drawn: [string, Sampled][] = Object.entries(args.images).map(([name, settings]) => {
        const { cfg_weight: guidance, temperature: scales, temperature_probs: probs } = settings;
        const length = image!.shape[1] as number;
        return [name, sampleImages(model, scope, given, keys.images!, { guidance, scales, probs, length })];
      });
      const settings = { ...args.texts, length: 5 };
      drawn.push(
        ['words', sampleTexts(model, scope, { image: image! }, keys.texts!, settings)],
        ['more_words', sampleTexts(model, scope, { image: image!, ...given }, keys.texts!, settings)],
      );
      const named = drawn.flatMap(([name, { tokens, logProbs }]) => [
        [`${name}/tokens`, tokens] as const,
        [`${name}/log_probs`, logProbs] as const,
      ]);
      return Object.fromEntries(named);
    };
    const inputs = sendAll(runtime, Object.fromEntries(arraysBeside(recorded.inputs, 'params'))) as Parts;
    const run = runtime.jit(draw, { name: 'parity drawing' });
    return fetchAll(runtime, run(caseParams(recorded, services), inputs, { images, texts }));
  },

  'model proj/jetformer/patch_pca': async ({ args, call, inputs }, { runtime }) => {
    const options = patchPcaOptions.parse(args);
    const key = runtime.toDevice(tf.random.keyArray(tf.random.key(call!.rngs!.dropout!)));
    const run = ({ image, ...pca }: Parts, key: tf.Tensor) => {
      const components = patchPca(options, pca as unknown as Pca);
      const whole = patchPca(options);
      const keys = noiseKeys(key);
      const pixels = whole.encode(image!, keys);
      return {
        tokens: components.encode(image!, keys),
        image: components.decode(components.encode(image!, { pixels: keys.pixels })),
        pixels,
        image_of_pixels: whole.decode(pixels),
      };
    };
    const sent = sendAll(runtime, Object.fromEntries(inputs)) as Parts;
    return fetchAll(runtime, runtime.jit(run, { name: 'parity patches' })(sent, key));
  },
};
