// BiT-R152x2 into BiT-R50x1 on Food101 and SUN397.
//
//   bv train --config configs/proj/distill/bigsweep_food_sun.ts:data=food,variant=fast --workdir DIR \
//     --config.distill.teachers.prof_m.model_init=./R152x2_T_food128.npz

import { sweep } from './sweep';

export default sweep({
  data: 'food',
  minitrain: 'train[:1024]',
  log_training_steps: 50,
  tasks: {
    food: {
      name: 'food101',
      classes: 101,
      train: 'train[:90%]',
      val: 'train[90%:]',
      test: 'validation',
      few: { val: 'train[:16]', test: 'test[:16]' },
      fast: { total_epochs: 100, t: 10, lr: 0.01, wd: 1e-3 },
      medium: { total_epochs: 1000, t: 10, lr: 0.001, wd: 3e-4 },
      long: { total_epochs: 3000, t: 5, lr: 0.01, wd: 1e-4 },
    },
    sun: {
      name: 'sun397',
      classes: 397,
      train: 'train',
      val: 'validation',
      test: 'test',
      few: { val: 'validation[:16]', test: 'test[:16]' },
      fast: { total_epochs: 100, t: 10, lr: 0.01, wd: 1e-3 },
      medium: { total_epochs: 1000, t: 10, lr: 0.001, wd: 1e-4 },
      long: { total_epochs: 3000, t: 10, lr: 0.01, wd: 3e-5 },
    },
  },
});
