// Which of several processes this one is: from the command line, or from the environment that a launcher made.

import { catalogue } from '../errors';

/** This process among those that run a program together. */
export interface Place {
  readonly index: number;
  readonly count: number;
  /** `host:port`, where process 0 listens and the others find it. */
  readonly coordinator: string;
}

/** As given on the command line. */
export interface PlaceFlags {
  readonly processes?: number;
  readonly process?: string;
  readonly coordinator?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** What a launcher says; each part may be given elsewhere. */
interface Found {
  readonly index?: string;
  readonly count?: string;
  readonly coordinator?: string;
}

const errors = catalogue('processes', {
  incomplete: (v: { missing: readonly string[]; from: string }) => ({
    what: `${v.from} says that several processes run together, but not ${v.missing.join(' and ')}.`,
    fix: 'bv train ... --processes 4 --process 0 --coordinator HOST:8476, with another --process on each machine.',
  }),
  badIndex: (v: { index: string; count: number; from: string }) => ({
    what: `The process is "${v.index}" (${v.from}), expected a number from 0 to ${v.count - 1}, since there are ${v.count}.`,
    fix: `number the ${v.count} processes from 0 on.`,
  }),
  badCount: (v: { count: string; from: string }) => ({
    what: `The number of processes is "${v.count}" (${v.from}).`,
    fix: '--processes 4',
  }),
  badCoordinator: (v: { coordinator: string }) => ({
    what: `The coordinator is "${v.coordinator}", expected a host and a port.`,
    fix: '--coordinator HOST:8476, where HOST is the machine of process 0 as the others know it.',
  }),
});

const port = 8476;

/** By launcher, the first that says something counts. */
const launchers: readonly (readonly [name: string, find: (env: Environment) => Found | undefined])[] = [
  [
    'BV_PROCESSES',
    (env) =>
      env.BV_PROCESSES === undefined
        ? undefined
        : {
            count: env.BV_PROCESSES,
            // The second is Kubernetes' in each pod of an indexed job.
            index: env.BV_PROCESS ?? env.JOB_COMPLETION_INDEX,
            coordinator: env.BV_COORDINATOR,
          },
  ],
  [
    'SLURM',
    // Set in what `srun` starts, and not in the batch script around it.
    ({ SLURM_STEP_NUM_TASKS: count, SLURM_PROCID: index, SLURM_STEP_NODELIST: nodes, ...env }) =>
      count === undefined || index === undefined || nodes === undefined
        ? undefined
        : { count, index, coordinator: `${firstNode(nodes)}:${slurmPort(env.SLURM_JOB_ID)}` },
  ],
  [
    'TPU_WORKER_HOSTNAMES',
    ({ TPU_WORKER_HOSTNAMES: hosts, TPU_WORKER_ID: index }) =>
      hosts === undefined || index === undefined
        ? undefined
        : {
            count: String(hosts.split(',').length),
            index,
            coordinator: `${hosts.split(',')[0]?.trim()}:${port}`,
          },
  ],
];

/**
 * The place that the flags name, or what is missing of them the environment; undefined for a process that is alone.
 * @throws UserError where they say that there are several and not enough more.
 */
export function placeOf(
  { processes, process: which, coordinator: address }: PlaceFlags = {},
  env: Environment = process.env,
): Place | undefined {
  const [launcher, found] = launchers
    .map(([name, find]) => [name, find(env)] as const)
    .find(([, found]) => found !== undefined) ?? ['', undefined];
  const flagged = [processes, which, address].some((flag) => flag !== undefined);
  if (!found && !flagged) return undefined;
  const from = flagged ? 'The command line' : launcher;
  const countText = String(processes ?? found?.count ?? '');
  const index = which ?? found?.index;
  const coordinator = address ?? found?.coordinator;
  if (countText === '') throw errors.incomplete({ from, missing: ['how many (--processes)'] });
  const count = Number(countText);
  if (!Number.isInteger(count) || count < 1) throw errors.badCount({ count: countText, from });
  if (count === 1) return undefined;
  const missing = [
    ...(index === undefined ? ['which one this is (--process)'] : []),
    ...(coordinator === undefined ? ['where process 0 is (--coordinator)'] : []),
  ];
  if (index === undefined || coordinator === undefined) throw errors.incomplete({ from, missing });
  if (!/^\d+$/.test(index) || Number(index) >= count) throw errors.badIndex({ index, count, from });
  if (!/^(?:[\w.-]+|\[[\da-f:]+\]):\d+$/i.test(coordinator)) throw errors.badCoordinator({ coordinator });
  return { index: Number(index), count, coordinator };
}

/** Of a list such as `gpu[003-006,12],login1`: where the task 0 of a step runs. */
export function firstNode(list: string): string {
  const [, name = '', numbers] = /^([^,[]+)(?:\[([^\]]*)\])?/.exec(list) ?? [];
  return numbers === undefined ? name : `${name}${numbers.split(/[-,]/)[0]}`;
}

/** Two jobs that share a node get ports of their own. */
const slurmPort = (job = '0') => 61_000 + (Number(job) % 4000);
