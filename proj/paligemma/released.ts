// The released checkpoints by their short names. Who has accepted their licence puts them into a folder of one's own.

import path from 'node:path';
import { catalogue } from '../../core/errors';
import type { ModelInit } from '../../core/extensions';

/** pt_224, pt_448.bf16 and the like (arXiv:2407.07726); pt_3b_224 and the like (arXiv:2412.03555). */
const first = /^pt_(224|448|896)(\.bf16|\.f16)?$/;
const second = /^pt_(3b|10b|28b)_(224|448|896)$/;

const errors = catalogue('paligemma', {
  noFolder: (v: { name: string; file: string }) => ({
    what: `"${v.name}" is a released checkpoint of PaliGemma, and BV_GEMMA_DIR doesn't say where those are.`,
    fix: `download ${v.file} (kaggle.com/models/google/paligemma), and set BV_GEMMA_DIR to its folder.`,
  }),
});

/** The file of a short name; other names as they are. */
export function releasedFile(from: ModelInit): ModelInit {
  if (typeof from !== 'string' || !(first.test(from) || second.test(from))) return from;
  const file = `${from}${second.test(from) ? '.bf16' : ''}.npz`;
  const folder = process.env['BV_GEMMA_DIR'];
  if (!folder) throw errors.noFolder({ name: from, file });
  return path.join(folder, file);
}
