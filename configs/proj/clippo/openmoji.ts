// CLIPPO from nothing on OpenMoji: one tower sees pictures and rendered texts. A fifth of the examples are pairs of two
// texts about one picture, as the paper does with sentences of C4; the argument texts=0 leaves them out.
//
//   bv train --config configs/proj/clippo/openmoji.ts --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { openmojiEvals } from '../image_text/openmoji_evals';

const resolution = 32;

// Paper is 0, of pictures and of texts: what is everywhere would make all embeddings alike.
const range = 'value_range(-2, 0)';
const crop = `inception_crop(${resolution}, 70)|${range}`;

// Letters are half as large as they are drawn, so that four lines of some seven fit.
const render = (inkey: string, outkey: string) =>
  `render_unifont(inkey="${inkey}", outkey="${outkey}", image_size=${resolution}, font_size=8, background_brightness=255)` +
  `|value_range(-2, 0, key="${outkey}")`;

/** Some of the name and the tags, so that each of them comes first at times: the first line is the easiest to read. */
const someTerms = (outkey: string) =>
  `copy("terms", "${outkey}")|choice(n=[1, 4], key="${outkey}", fewer_ok=True)|strjoin(", ", key="${outkey}")`;

export default function config(text = ''): ConfigInput {
  const { texts, epochs, batch_size } = parseArg(text, { texts: 0.2, epochs: 36, batch_size: 128 });
  const groups = 0.2;
  const data = { name: 'openmoji', split: 'train', size: resolution };
  const kept = 'keep("image", "labels")';

  return {
    header: {
      command: 'npx bv train --config configs/proj/clippo/openmoji.ts --workdir DIR',
      hardware: '2 CPU cores, busy with much other work',
      minutes: 15.5,
      expect: {
        'retrieval/img2txt_recall@5': 0.06,
        'retrieval/txt2img_recall@5': 0.08,
        'group/openmoji_accuracy': 0.36,
      },
      paper: 'arXiv:2212.08045',
    },
    input: {
      data: { pictures: 1 - groups - texts, groups, texts },
      pictures: { data, pp: `${crop}|${someTerms('text')}|${render('text', 'labels')}|${kept}` },
      groups: { data, pp: `${crop}|${render('group', 'labels')}|${kept}` },
      texts: {
        data,
        pp: `${someTerms('one')}|${someTerms('other')}|${render('one', 'image')}|${render('other', 'labels')}|${kept}`,
      },
      batch_size,
    },
    total_epochs: epochs,

    model_name: 'proj.clippo.one_tower',
    model: {
      image: {
        patch_size: [8, 8],
        width: 96,
        depth: 3,
        mlp_dim: 192,
        num_heads: 4,
        pool_type: 'map',
        head_zeroinit: false,
      },
      out_dim: 64,
      // At 10 the noise of untrained embeddings costs so much that all become one, and that takes hundreds of steps to undo.
      temperature_init: 3,
    },
    image_text: { loss: 'softmax' },

    optax_name: 'scale_by_adam',
    optax: { b2: 0.95 },
    grad_clip_norm: 1,
    lr: 2e-3,
    wd: 3e-4,
    schedule: { decay_type: 'cosine', warmup_percent: 0.1 },

    log_training_steps: 50,
    ckpt_epochs: 6,
    evals: openmojiEvals({
      pp_img: `resize(${resolution})|${range}`,
      pp_txt: render('texts', 'labels'),
      log_epochs: 6,
    }),
  };
}
