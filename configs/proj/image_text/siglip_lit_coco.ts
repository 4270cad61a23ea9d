// SigLIP with a locked image tower (LiT, arXiv:2111.07991) on COCO captions: a small example of arXiv:2303.15343.
//
//   bv train --config configs/proj/image_text/siglip_lit_coco.ts:img_init=./B_16.npz,txt_init=./uncased --workdir DIR
//
// Nothing is downloaded: both towers' checkpoints and COCO have to be there (proj/image_text/README.md). Beside the original's
// arguments, img_init and txt_init say where; without them these are the places in buckets that the original reads.

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { choose } from '../../common';
import { cocoRetrieval, inits } from './common';

const withoutHead = { dont_load: ['head/kernel', 'head/bias'] };

export default function config(text = ''): ConfigInput {
  const { res, runlocal, token_len, txt, img, init, img_head, batch_size, ...places } = parseArg(text, {
    res: 224,
    runlocal: false,
    token_len: 16,
    txt: 'bert_base',
    img: 'B/16',
    init: '',
    img_head: false,
    batch_size: 512,
    img_init: '',
    txt_init: '',
  });
  const [variant, imageBucket] = choose('img', img, inits);
  const [bert, textBucket] = choose('txt', txt, inits);
  const imageCheckpoint = places.img_init || imageBucket;
  const textCheckpoint = places.txt_init || textBucket;
  const width = variant.startsWith('L') ? 1024 : 768;
  const total_steps = runlocal ? 1 : 5000;
  const vocabulary = init === '' ? `${textCheckpoint}/vocab.txt` : init.replace(/\.[^.]*$/, '.txt');
  const tokens = (inkey: string) =>
    `bert_tokenize(inkey="${inkey}", max_len=${token_len}, vocab_path="${vocabulary}")`;

  return {
    total_steps,
    input: {
      data: { name: 'coco_captions', split: 'train' },
      pp: `decode|resize(${res})|flip_lr|randaug(2,10)|value_range(-1,1)|flatten|${tokens('captions/text')}|keep("image", "labels")`,
      batch_size: runlocal ? 32 : batch_size,
    },

    model_name: 'proj.image_text.two_towers',
    model: {
      image_model: 'vit',
      text_model: 'proj.flaxformer.bert',
      image: { variant, pool_type: 'tok', head_zeroinit: false },
      text: { config: bert, head_zeroinit: false },
      temperature_init: 10,
      bias_init: -2.71,
      // Without a head the image tower is locked altogether, and the text tower learns to speak its language.
      out_dim: [img_head ? width : null, width],
    },
    model_init: init === '' ? { image: imageCheckpoint, text: textCheckpoint } : init,
    model_load:
      init === '' ? { txt_load_kw: withoutHead, ...(!img_head && { img_load_kw: withoutHead }) } : {},
    image_text: { loss: 'sigmoid' },

    optax_name: bert === 'base' ? 'scale_by_adam' : 'big_vision.scale_by_adafactor',
    grad_clip_norm: 1,
    lr: 0.001,
    wd: 0.01,
    schedule: [
      ['img/.*', null],
      ['.*', { decay_type: 'cosine', warmup_steps: Math.max(Math.floor(0.03 * total_steps), 100) }],
    ],

    log_training_steps: 50,
    ckpt_steps: 1000,
    evals: {
      retrieval_coco: cocoRetrieval({
        pp_img: `resize(${res})|value_range(-1, 1)`,
        pp_txt: tokens('texts'),
        log_steps: 1000,
      }),
    },
  };
}
