// CLIPPO from nothing on OpenMoji: one tower sees pictures and rendered texts. A quarter of the examples are pairs of two
// texts about one picture, as the paper does with sentences of C4; the argument texts=0 leaves them out.
//
//   bv train --config configs/proj/clippo/openmoji.ts --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { openmojiEvals } from '../image_text/openmoji_evals';

const resolution = 64;

const render = (inkey: string, outkey: string) =>
  `render_unifont(inkey="${inkey}", outkey="${outkey}", image_size=${resolution})|value_range(-1, 1, key="${outkey}")`;

export default function config(text = ''): ConfigInput {
  const { texts, epochs, batch_size } = parseArg(text, { texts: 0.25, epochs: 20, batch_size: 128 });
  const data = { name: 'openmoji', split: 'train', size: resolution };

  return {
    header: {
      command: 'npx bv train --config configs/proj/clippo/openmoji.ts --workdir DIR',
      hardware: '2 CPU cores, busy with other work too',
      minutes: 10,
      expect: { 'retrieval/txt2img_recall@5': 0.045, 'group/openmoji_accuracy': 0.35 },
      paper: 'arXiv:2212.08045',
    },
    input: {
      data: { pictures: 1 - texts, texts },
      pictures: {
        data,
        pp: `inception_crop(${resolution}, 70)|value_range(-1, 1)|choice(inkey="texts", outkey="text")|${render('text', 'labels')}|keep("image", "labels")`,
      },
      texts: {
        data,
        pp: `choice(2, key="texts")|setdefault("last", 1)|getidx("texts", "last", "text")|${render('texts', 'image')}|${render('text', 'labels')}|keep("image", "labels")`,
      },
      batch_size,
    },
    total_epochs: epochs,

    model_name: 'proj.clippo.one_tower',
    model: {
      // A patch is about a letter.
      image: {
        patch_size: [16, 8],
        width: 96,
        depth: 4,
        mlp_dim: 192,
        num_heads: 4,
        dropout: 0.1,
        pool_type: 'map',
        head_zeroinit: false,
      },
      out_dim: 64,
      temperature_init: 10,
    },
    image_text: { loss: 'softmax' },

    optax_name: 'scale_by_adam',
    optax: { b2: 0.95 },
    grad_clip_norm: 1,
    // At 2e-3, or without a long warm-up, all embeddings become one.
    lr: 1e-3,
    wd: 3e-4,
    schedule: { decay_type: 'cosine', warmup_percent: 0.2 },

    log_training_steps: 50,
    ckpt_epochs: 5,
    evals: openmojiEvals({ pp_img: 'value_range(-1, 1)', pp_txt: render('texts', 'labels'), log_epochs: 5 }),
  };
}
