// UViM (arXiv:2205.10337), stage I: a code of the colours of emojis.
//
//   bv train --config configs/proj/uvim/openmoji_color_stage1.ts --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { evals, input, layout, parts } from './openmoji_color';
import { smallStage1 } from './small';

export default function config(text = ''): ConfigInput {
  const { steps } = parseArg(text, { steps: 500 });
  return {
    header: {
      command:
        'npx bv train --config configs/proj/uvim/openmoji_color_stage1.ts --workdir runs/openmoji_color_stage1',
      hardware: '2 CPU cores, busy with much other work',
      minutes: 7,
      expect: { 'psnr/PSNR': 24 },
      paper: 'arXiv:2205.10337',
    },
    ...smallStage1({ task: 'colorization' }, parts, layout),
    total_steps: steps,
    input,
    evals,
  };
}
