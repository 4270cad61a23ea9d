// The original's trainer for GSAM is an older one: its config has other names for the data and the length of a run.

type Tree = { [key: string]: unknown };

/** An evaluator of that config with our keys. */
const evaluator = ({ dataset, split, ...rest }: Tree): Tree => ({ ...rest, data: { name: dataset, split } });

/** A config of that trainer with our keys. Others come back as they are. */
export function gsamAsOurs(config: Tree): Tree {
  if (config.gsam === undefined) return config;
  const { dataset, train_split, pp_train, batch_size, num_epochs, checkpoint_steps, evals, ...rest } = config;
  const { prefetch_to_host, cache_raw: _, shuffle_buffer_size: __, ...stock } = rest;
  return {
    ...stock,
    input: {
      data: { name: dataset, split: train_split },
      pp: pp_train,
      batch_size,
      prefetch: prefetch_to_host,
    },
    total_epochs: num_epochs,
    ckpt_steps: checkpoint_steps,
    evals: Object.fromEntries(
      Object.entries(evals as Record<string, Tree>).map(([name, entry]) => [name, evaluator(entry)]),
    ),
  };
}
