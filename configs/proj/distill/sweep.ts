// The recommended settings for small data sets (arXiv:2106.05237, figure 3 and table 4), each for a short, medium and long
// training.

import { parseArg } from '../../../core/config/args';
import type { ConfigInput } from '../../../core/config/schema';
import { choose, finish } from '../../common';
import { adam, bitPair, pairEvals } from './common';

interface Setting {
  readonly total_epochs: number;
  /** Temperature. */
  readonly t: number;
  readonly lr: number;
  readonly wd: number;
}

export interface Task {
  /** Of the data set. */
  readonly name: string;
  readonly classes: number;
  readonly train: string;
  readonly val: string;
  readonly test: string;
  /** For quick tries. */
  readonly few: { readonly val: string; readonly test: string };
  readonly fast: Setting;
  readonly medium: Setting;
  readonly long: Setting;
}

interface Sweep {
  readonly tasks: Readonly<Record<string, Task>>;
  /** The task of an empty argument. */
  readonly data: string;
  readonly minitrain: string;
  readonly log_training_steps: number;
}

/** A config of the arguments data, variant (fast, medium, long), crop and runlocal. */
export function sweep({ tasks, data, minitrain, log_training_steps }: Sweep): (text?: string) => ConfigInput {
  return (text = '') => {
    const args = parseArg(text, {
      runlocal: false,
      data,
      variant: 'medium',
      crop: 'inception_crop(128)',
    });
    const task = choose('data', args.data, tasks);
    const { total_epochs, t, lr, wd } = choose('variant', args.variant, {
      fast: task.fast,
      medium: task.medium,
      long: task.long,
    });
    const { name, classes } = task;
    const of = (split: string) => ({
      name,
      split,
      pp_fn: `decode|resize_small(160)|central_crop(128)|${finish(classes)}`,
    });
    const { val, test } = args.runlocal ? task.few : task;

    return {
      input: {
        data: { name, split: task.train },
        pp: `decode|${args.crop}|flip_lr|${finish(classes)}`,
        batch_size: args.runlocal ? 8 : 512,
      },
      num_classes: classes,
      total_epochs,

      ...bitPair(`${args.data}128`, t),
      ...adam(lr, wd, 1500),

      log_training_steps,
      ckpt_steps: 2500,
      evals: pairEvals(
        { train: of(args.runlocal ? 'train[:16]' : minitrain), val: of(val), test: of(test) },
        { log_steps: 500 },
      ),
    };
  };
}
