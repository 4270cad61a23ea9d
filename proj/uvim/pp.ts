// The op that UViM alone uses. Its others (masks, boxes that are drawn once, depth, grey images) are in the plugin pp,
// since other projects use them too.

import { hostArray } from '../../core/array';
import type { Registrar } from '../../core/plugin';
import { keyedOp, textOf } from '../../plugins/pp';
import { sipHash } from './siphash';

const key = [3714561454027272724n, 8800639020734831960n] as const;
const buckets = (1n << 63n) - 1n;

const strong_hash = keyedOp('strong_hash', {
  doc: 'A number for a text: the low 32 bits, as int32, of the keyed hash that the original keeps in 63 bits. They are what its random keys are made of.',
  keys: { inkey: 'tfds_id', outkey: 'tfds_id' },
  make: () => (value, _, from) => {
    const hash = sipHash(Buffer.from(textOf(value, from, 'strong_hash'), 'utf8'), key) % buckets;
    return hostArray('int32', [], [Number(BigInt.asIntN(32, hash))]);
  },
});

export function registerOps({ register }: Registrar): void {
  register('pp', 'strong_hash', strong_hash);
}
