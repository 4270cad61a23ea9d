// Keys that the original's configs have and that no code here reads, with the reason: who ports a config is to remove them.

import { catalogue } from '../errors';

const errors = catalogue('config', {
  withoutEffect: (v: { keys: readonly (readonly [path: string, why: string])[] }) => ({
    what: `${v.keys.length === 1 ? 'A key' : 'Keys'} of the original without effect here: ${v.keys.map(([path, why]) => `"${path}" (${why})`).join(', ')}.`,
    fix: `remove ${v.keys.length === 1 ? 'it' : 'them'} from the config.`,
  }),
});

const cached = 'examples come from their files each time, which the system keeps in memory';
const ahead = 'input.prefetch says how many batches are made ahead';
const own = "a value of the config's own function; nothing else reads it";

/** By section of the config: '' is its top; the others hold at any depth. */
const withoutEffect: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '': {
    batch_size: 'input.batch_size is what counts',
    ckpt_timeout: 'the next step does not wait for a checkpoint',
    eval_only: '`bv eval` evaluates without training',
    fewshot: 'evaluators stand in evals',
    final_split: own,
    init_shapes: 'a model is initialised from a batch',
    init_types: 'a model is initialised from a batch',
    loss_use_global_batch: 'losses are of the global batch',
    mode: own,
    name: own,
    num_epochs: 'total_epochs is what counts',
    optim_name: 'optax_name is what counts',
    pp_modules: 'the ops of all plugins are there',
    prefetch_to_device: ahead,
    prefetch_to_host: ahead,
    res: own,
    run_local: own,
    runlocal: own,
    shuffle_buffer_size: 'every epoch is shuffled whole',
    variant: own,
  },
  input: {
    cache: cached,
    cache_final: cached,
    cache_raw: cached,
    num_parallel_calls: 'input.workers is the number of threads',
    shuffle_buffer_size: 'every epoch is shuffled whole',
    skip_decode: 'images stay encoded until the op decode',
    thread_pool_size: 'sources are opened when they are needed',
  },
  evals: {
    cache: cached,
    cache_final: cached,
    cache_raw: cached,
    prefetch: 'batches are made ahead while the device works',
    skip_decode: 'images stay encoded until the op decode',
  },
};

const reasonsAt = (where: string) =>
  new Map(Object.entries(withoutEffect[where.split('.')[0] as string] ?? {}));

/** The first of some unknown keys below a path (the config's top is '') that is no key of the original without effect. */
export function mistakeAmong(where: string, keys: readonly string[]): string | undefined {
  const reasons = reasonsAt(where);
  return keys.find((key) => !reasons.has(key));
}

/** Says of each of some keys, which are no mistakes, why it has no effect. */
export function errorWithoutEffect(where: string, keys: readonly string[]): Error {
  const reasons = reasonsAt(where);
  const path = (key: string) => (where === '' ? key : `${where}.${key}`);
  return errors.withoutEffect({ keys: keys.map((key) => [path(key), reasons.get(key) as string]) });
}
