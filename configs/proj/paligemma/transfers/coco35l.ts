// PaliGemma's transfer to COCO's captions in 35 languages, evaluated on Crossmodal-3600 too (arXiv:2205.12522).

import { parseArg } from '../../../../core/config/args';
import {
  answers,
  beamed,
  combineAndKeepEval,
  combineAndKeepTrain,
  cropOps,
  oneOf,
  perplexities,
  transfer,
  transferArgs,
} from './common';

const languages =
  'ar bn cs da de el en es fa fi fil fr he hi hr hu id it ja ko mi nl no pl pt ro ru sv sw te th tr uk vi zh'.split(
    ' ',
  );
/** Crossmodal-3600 has Quechua too. */
const evaluated = languages.flatMap((lang) => (lang === 'ro' ? ['quz', lang] : [lang]));
const often = new Set(['ar', 'bn', 'en', 'id', 'sw', 'tr', 'zh']);

const text_len = 32;

export default function config(text = '') {
  const { mode, res } = transferArgs;
  const arg = parseArg(text, { mode, crop: 'rs', res, eval_xm3600: true, beam_size: 0 });
  const more = { batch_size: 1024, ...beamed(arg.beam_size, text_len) };
  const train = (crop: string) =>
    combineAndKeepTrain({
      text_len,
      before: [
        `flatten|decode|${cropOps(crop, arg.res)}|value_range(-1, 1)`,
        oneOf('captions'),
        'strfmt("caption {language}", outkey="prefix")',
      ],
    });
  const evaluate = (lang: string) =>
    combineAndKeepEval({
      text_len,
      before: [
        `flatten|decode|resize(${arg.res})|value_range(-1, 1)`,
        `strfmt("caption ${lang}", outkey="prefix")`,
      ],
      keep: ['image/id', 'captions'],
    });
  const captions = (
    prefix: string,
    data: string,
    langs: readonly string[],
    splitOf: (lang: string) => string,
  ) =>
    Object.assign(
      {},
      ...langs.map((lang) =>
        answers(prefix, [[lang, splitOf(lang), often.has(lang) ? 0.25 : 1]], {
          evaluator: 'coco_caption',
          data,
          pp_fn: evaluate(lang),
          text_len,
          skip_rare: true,
          more,
        }),
      ),
    ) as ReturnType<typeof answers>;
  const sources = languages.map((lang) => {
    const data = { name: 'coco35l', split: `train_${lang}` };
    return [lang, { data, pp: train(arg.crop) }] as const;
  });
  return transfer({
    arg,
    input: {
      data: Object.fromEntries(languages.map((lang) => [lang, 1])),
      ...Object.fromEntries(sources),
    },
    batch_size: 256,
    length: { total_examples: 566_435 },
    lr: 1e-4,
    wd: 0,
    evals: {
      ...perplexities(
        'coco35l',
        [
          ['minitrain', 'train_en[:2%]'],
          ['minival', 'dev_en[:5%]'],
          ['eval', 'dev_en'],
        ],
        { data: 'coco35l', pp: train('rs'), log_percent: 0.05 },
      ),
      ...captions('coco35l', 'coco35l', languages, (lang) => `dev_${lang}`),
      ...(arg.eval_xm3600 && captions('xm3600', 'xm3600', evaluated, (lang) => lang)),
    },
  });
}
