// UViM (arXiv:2205.10337), stage II: colourisation of emojis, through the code of stage I.
//
//   bv train --config configs/proj/uvim/openmoji_color_stage2.ts:stage1=WORKDIR --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { evals, input, layout, parts } from './openmoji_color';
import { smallStage2 } from './small';

export default function config(text = ''): ConfigInput {
  const { steps, stage1 } = parseArg(text, { steps: 400, stage1: 'runs/openmoji_color_stage1' });
  return {
    header: {
      command:
        'npx bv train --config configs/proj/uvim/openmoji_color_stage2.ts:stage1=runs/openmoji_color_stage1 --workdir runs/openmoji_color_stage2',
      hardware: '2 CPU cores, busy with much other work',
      minutes: 6,
      expect: { 'psnr/PSNR': 21 },
      paper: 'arXiv:2205.10337',
    },
    ...smallStage2({ task: 'colorization' }, parts, layout, stage1),
    total_steps: steps,
    input,
    evals,
  };
}
