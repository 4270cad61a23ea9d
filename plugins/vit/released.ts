// Short names of released checkpoints, as configs of the original use them.

const bucket = 'gs://big_vision/';

/** AugReg (arXiv:2106.10270): what comes between the size and the dropout in the file's name. */
const augreg: Readonly<Record<string, string>> = {
  'Ti/16': 'aug_none-wd_0.03',
  'S/32': 'aug_none-wd_0.1',
  'S/16': 'aug_light1-wd_0.03',
  'B/32': 'aug_light1-wd_0.1',
  'B/16': 'aug_medium1-wd_0.1',
  'B/8': 'aug_medium2-wd_0.1',
  'L/16': 'aug_strong1-wd_0.1',
};

/** SigLIP (arXiv:2303.15343): the file, less the start that all share. */
const siglip: Readonly<Record<string, string>> = {
  'B/16 224': 'en_b16_224_63724782',
  'B/16 256': 'en_b16_256_60500360',
  'B/16 384': 'en_b16_384_68578854',
  'B/16 512': 'en_b16_512_68580893',
  'L/16 256': 'en_l16_256_60552751',
  'L/16 384': 'en_l16_384_63634585',
  'So400m/14 224': 'en_so400m_224_57633886',
  'So400m/14 384': 'en_so400m_384_58765454',
  'B/16-i18n 256': 'i18n_b16_256_66117334',
};

/** SigLIP 2 (arXiv:2502.14786): sizes and their resolutions. The NaFlex ones are for another model. */
const siglip2: Readonly<Record<string, string>> = {
  'B/32': '256',
  'B/16': '224 256 384 512 NaFlex',
  'L/16': '256 384 512',
  'So400m/14': '224 384',
  'So400m/16': '256 384 512 NaFlex',
  'g-opt/16': '256 384',
};

function* list(): Generator<readonly [name: string, path: string]> {
  for (const [size, aug] of Object.entries(augreg)) {
    const lr = '300ep-lr_0.001';
    yield [
      `howto-i21k-${size}`,
      `gs://vit_models/augreg/${size.replace('/', '_')}-i21k-${lr}-${aug}-do_0.0-sd_0.0.npz`,
    ];
  }
  for (const epochs of [90, 150, 300]) yield [`i1k-s16-${epochs}ep`, `${bucket}vit_s16_i1k_${epochs}ep.npz`];
  for (const [size, long] of [
    ['S', 'small'],
    ['B', 'base'],
    ['L', 'large'],
  ]) {
    for (const variant of ['224_1k', '224_21k', '384_1k', '384_21k']) {
      yield [`deit3_${size}_${variant}`, `${bucket}zoo/deit3/bv_deit_3_${long}_${variant}.npz`];
    }
  }
  for (const [name, file] of Object.entries(siglip)) {
    yield [`SigLIP ${name}`, `${bucket}siglip/webli_${file}.npz:img`];
  }
  for (const [size, resolutions] of Object.entries(siglip2)) {
    for (const resolution of resolutions.split(' ')) {
      const file = `${size.replace('/', '')}_${resolution}`.toLowerCase();
      yield [`SigLIP2 ${size} ${resolution}`, `${bucket}siglip2/siglip2_${file}.npz:img`];
    }
  }
}

/** Paths in their buckets by name. */
export const released: ReadonlyMap<string, string> = new Map(list());

/** Where a released checkpoint is to be had, and the path that names it once it is in the working folder. */
export function findReleased(
  name: string,
  paths: ReadonlyMap<string, string> = released,
): { readonly url: string; readonly path: string } | undefined {
  const [, inBucket, key = ''] = /^gs:\/\/(.*?\.npz)(:\w+)?$/.exec(paths.get(name) ?? '') ?? [];
  if (inBucket === undefined) return undefined;
  return { url: `https://storage.googleapis.com/${inBucket}`, path: `./${inBucket.split('/').at(-1)}${key}` };
}
