// The file with the encoder and the decoder of masks.

import { catalogue } from '../../core/errors';

const errors = catalogue('paligemma', {
  noMasks: () => ({
    what: 'The encoder and decoder of masks "oi" are in gs://big_vision/paligemma/vae-oid.npz, and nothing is downloaded here.',
    fix: 'fetch https://storage.googleapis.com/big_vision/paligemma/vae-oid.npz and give its path as model.',
  }),
});

export function maskFile(model: string): string {
  if (model === 'oi') throw errors.noMasks();
  return model;
}
