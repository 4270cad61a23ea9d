// BiT-R152x2 into BiT-R50x1 on Flowers102 and Oxford Pets. Many epochs, but of few images.
//
//   bv train --config configs/proj/distill/bigsweep_flowers_pet.ts:data=flowers,variant=fast --workdir DIR \
//     --config.distill.teachers.prof_m.model_init=./R152x2_T_flowers128.npz

import { sweep } from './sweep';

export default sweep({
  data: 'flowers',
  minitrain: 'train[:512]',
  log_training_steps: 100,
  tasks: {
    flowers: {
      name: 'oxford_flowers102',
      classes: 102,
      train: 'train',
      val: 'validation',
      test: 'test',
      few: { val: 'validation[:16]', test: 'test[:16]' },
      fast: { total_epochs: 10_000, t: 10, lr: 0.003, wd: 3e-4 },
      medium: { total_epochs: 100_000, t: 1, lr: 0.001, wd: 1e-4 },
      long: { total_epochs: 1_000_000, t: 1, lr: 0.0003, wd: 1e-5 },
    },
    pet: {
      name: 'oxford_iiit_pet',
      classes: 37,
      train: 'train[:90%]',
      val: 'train[90%:]',
      test: 'test',
      few: { val: 'train[:16]', test: 'test[:16]' },
      fast: { total_epochs: 1000, t: 5, lr: 0.01, wd: 1e-3 },
      medium: { total_epochs: 3000, t: 10, lr: 0.003, wd: 3e-4 },
      long: { total_epochs: 30_000, t: 2, lr: 0.003, wd: 1e-5 },
    },
  },
});
