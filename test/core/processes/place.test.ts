// Which process this is, by flags and by what launchers set.

import { firstNode, placeOf } from '../../../core/processes/place';

const slurm = {
  SLURM_STEP_NUM_TASKS: '4',
  SLURM_PROCID: '2',
  SLURM_STEP_NODELIST: 'gpu[003-006]',
  SLURM_JOB_ID: '70123',
};

test.each([
  ['nothing', {}, {}, undefined],
  ['one process', { processes: 1, process: '0' }, {}, undefined],
  [
    'flags',
    { processes: 4, process: '3', coordinator: 'node-1.cluster:8476' },
    {},
    { index: 3, count: 4, coordinator: 'node-1.cluster:8476' },
  ],
  [
    'our variables, as in a pod of an indexed job',
    {},
    { BV_PROCESSES: '2', JOB_COMPLETION_INDEX: '1', BV_COORDINATOR: 'bv-workers-0-0.bv:8476' },
    { index: 1, count: 2, coordinator: 'bv-workers-0-0.bv:8476' },
  ],
  ['srun', {}, slurm, { index: 2, count: 4, coordinator: 'gpu003:63123' }],
  ['a flag over srun', { coordinator: '[::1]:99' }, slurm, { index: 2, count: 4, coordinator: '[::1]:99' }],
  ['the batch script around srun', {}, { SLURM_PROCID: '0', SLURM_JOB_ID: '7' }, undefined],
  [
    'a TPU pod',
    {},
    { TPU_WORKER_HOSTNAMES: '10.0.0.2,10.0.0.3', TPU_WORKER_ID: '1' },
    { index: 1, count: 2, coordinator: '10.0.0.2:8476' },
  ],
  ['one TPU machine', {}, { TPU_WORKER_HOSTNAMES: 'localhost', TPU_WORKER_ID: '0' }, undefined],
])('%s', (_, flags, env, place) => expect(placeOf(flags, env)).toEqual(place));

test.each([
  [{ process: '1' }, 'but not how many (--processes)'],
  [{ processes: 2 }, 'but not which one this is (--process) and where process 0 is (--coordinator)'],
  [{ processes: 2, process: '2', coordinator: 'a:1' }, 'expected a number from 0 to 1'],
  [{ processes: 2, process: '1', coordinator: 'a' }, 'expected a host and a port'],
])('%j is a mistake', (flags, what) => expect(() => placeOf(flags, {})).toThrow(what));

test.each([
  ['gpu[003-006,12],login1', 'gpu003'],
  ['gpu7', 'gpu7'],
  ['a1,a2', 'a1'],
  ['n[9,11]', 'n9'],
])('the first node of %s is %s', (list, node) => expect(firstNode(list)).toBe(node));
