// UViM (arXiv:2205.10337), stage I: a code of panoptic segmentations of made-up pictures.
//
//   bv train --config configs/proj/uvim/shapes_panoptic_stage1.ts --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { evals, input, layout, parts } from './shapes_panoptic';
import { smallStage1 } from './small';

export default function config(text = ''): ConfigInput {
  const { steps } = parseArg(text, { steps: 1000 });
  return {
    header: {
      command:
        'npx bv train --config configs/proj/uvim/shapes_panoptic_stage1.ts --workdir runs/shapes_panoptic_stage1',
      hardware: '2 CPU cores, busy with much other work',
      minutes: 18,
      expect: { 'panoptic/All_pq': 0.29 },
      paper: 'arXiv:2205.10337',
    },
    ...smallStage1({ task: 'panoptic' }, parts, layout),
    total_steps: steps,
    input,
    evals,
  };
}
