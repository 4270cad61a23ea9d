// UViM (arXiv:2205.10337), stage II: panoptic segmentation of made-up pictures, through the code of stage I.
//
//   bv train --config configs/proj/uvim/shapes_panoptic_stage2.ts:stage1=WORKDIR --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { evals, input, layout, parts } from './shapes_panoptic';
import { smallStage2 } from './small';

export default function config(text = ''): ConfigInput {
  const { steps, stage1 } = parseArg(text, { steps: 500, stage1: 'runs/shapes_panoptic_stage1' });
  return {
    header: {
      command:
        'npx bv train --config configs/proj/uvim/shapes_panoptic_stage2.ts:stage1=runs/shapes_panoptic_stage1 --workdir runs/shapes_panoptic_stage2',
      hardware: '2 CPU cores, busy with much other work',
      minutes: 10,
      expect: { 'panoptic/All_pq': 0.22 },
      paper: 'arXiv:2205.10337',
    },
    ...smallStage2({ task: 'panoptic' }, parts, layout, stage1),
    total_steps: steps,
    input,
    evals,
  };
}
