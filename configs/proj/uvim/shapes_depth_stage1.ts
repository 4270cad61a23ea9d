// UViM (arXiv:2205.10337), stage I: a code of the depth of made-up pictures.
//
//   bv train --config configs/proj/uvim/shapes_depth_stage1.ts --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { evals, input, layout, parts, range } from './shapes_depth';
import { smallStage1 } from './small';

export default function config(text = ''): ConfigInput {
  const { steps } = parseArg(text, { steps: 800 });
  return {
    header: {
      command:
        'npx bv train --config configs/proj/uvim/shapes_depth_stage1.ts --workdir runs/shapes_depth_stage1',
      hardware: '2 CPU cores, busy with much other work',
      minutes: 11,
      expect: { 'depth/delta1': 0.84 },
      paper: 'arXiv:2205.10337',
    },
    ...smallStage1({ task: 'depth', ...range }, parts, layout),
    total_steps: steps,
    input,
    evals,
  };
}
