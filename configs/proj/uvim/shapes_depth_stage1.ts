// UViM (arXiv:2205.10337), stage I: a code of the depth of made-up pictures.
//
//   bv train --config configs/proj/uvim/shapes_depth_stage1.ts --workdir DIR

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { evals, input, parts, range } from './shapes_depth';
import { smallStage1 } from './small';

export default function config(text = ''): ConfigInput {
  const { steps } = parseArg(text, { steps: 600 });
  return { ...smallStage1({ task: 'depth', ...range }, parts), total_steps: steps, input, evals };
}
