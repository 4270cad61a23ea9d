// SigLIP, or CLIP with the argument softmax, from nothing on the 2,101 training pictures of OpenMoji and what they are called.
//
//   bv train --config configs/proj/image_text/openmoji.ts --workdir DIR
//   bv train --config configs/proj/image_text/openmoji.ts:softmax --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { openmojiEvals } from './openmoji_evals';

const resolution = 32;

const tokens = (inkey: string) =>
  `tok(model="openmoji", length=16, eos="sticky", inkey="${inkey}", outkey="labels")`;

export default function config(text = ''): ConfigInput {
  const { loss, epochs, batch_size } = parseArg(text, {
    loss: 'sigmoid',
    epochs: 40,
    batch_size: 128,
  });
  const width = { width: 96, mlp_dim: 192, num_heads: 4, dropout: 0.1 };

  return {
    header: {
      command: 'npx bv train --config configs/proj/image_text/openmoji.ts --workdir DIR',
      hardware: '2 CPU cores, busy with other work too',
      minutes: 8.5,
      expect: {
        'retrieval/img2txt_recall@5': 0.14,
        'retrieval/txt2img_recall@5': 0.16,
        'group/openmoji_accuracy': 0.38,
      },
      paper: 'arXiv:2303.15343',
    },
    input: {
      data: { name: 'openmoji', split: 'train' },
      // The name, the name with tags, or the group: what a text may say about a picture. No mirroring: arrows have a side.
      pp: `inception_crop(${resolution}, 70)|value_range(-1, 1)|choice(inkey="texts", outkey="text")|${tokens('text')}|keep("image", "labels")`,
      batch_size,
    },
    total_epochs: epochs,

    model_name: 'proj.image_text.two_towers',
    model: {
      image: { ...width, depth: 3, patch_size: [8, 8], pool_type: 'map', head_zeroinit: false },
      text: { ...width, depth: 1, vocab_size: 2048, pool_type: 'gap' },
      out_dim: 64,
      temperature_init: 10,
      ...(loss === 'sigmoid' && { bias_init: -5 }),
    },
    image_text: { loss },

    optax_name: 'scale_by_adam',
    optax: { b2: 0.95 },
    grad_clip_norm: 1,
    lr: 3e-3,
    wd: 3e-4,
    schedule: { decay_type: 'cosine', warmup_percent: 0.1 },

    log_training_steps: 50,
    ckpt_epochs: 10,
    evals: openmojiEvals({
      pp_img: `resize(${resolution})|value_range(-1, 1)`,
      pp_txt: tokens('texts'),
      log_epochs: 10,
    }),
  };
}
