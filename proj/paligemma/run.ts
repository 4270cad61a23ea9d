// Answers questions about an image, one a line of the standard input:
//
//   node -r ./core/register proj/paligemma/run.ts --ckpt pt_224 --image FILE [--sampler 'nucleus(0.1)'] [--res 224]
//
// With --config the model is that of a config, such as one that was trained here, and --ckpt a checkpoint of its.

import readline from 'node:readline';
import { parseArgs } from 'node:util';
import { openRuntime } from '../../core/cli/runtime';
import { findConfig, loadConfig } from '../../core/config/load';
import { openSession } from '../../core/workspace/session';
import { openAnswerer } from './answer';

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ckpt: { type: 'string' },
      image: { type: 'string' },
      config: { type: 'string' },
      sampler: { type: 'string', default: 'greedy' },
      res: { type: 'string', default: '224' },
      max_decode_len: { type: 'string', default: '128' },
      prefill_len: { type: 'string', default: '32' },
      tokenizer: { type: 'string', default: "gemma(tokensets=['loc', 'seg'])" },
      sep: { type: 'string', default: '\n' },
      runtime: { type: 'string' },
    },
  });
  const { ckpt, image, config = 'configs/proj/paligemma/transfers/forkme.ts:size=' } = values;
  if (ckpt === undefined || image === undefined) throw new Error('give --ckpt and --image');
  const session = openSession(process.cwd());
  const note = (text: string) => process.stderr.write(`${text}\n`);
  const runtime = await openRuntime(session, { name: values.runtime, note });
  const { model } = await loadConfig(findConfig(config, [session.workspace.root]));
  const answer = await openAnswerer(session, runtime, {
    ckpt,
    model: model as Record<string, unknown>,
    tokenizer: values.tokenizer,
    sep: values.sep,
    res: Number(values.res),
    sampler: values.sampler,
    max_decode_len: Number(values.max_decode_len),
    prefill_len: Number(values.prefill_len),
  });
  for await (const line of readline.createInterface({ input: process.stdin })) {
    process.stdout.write(`${await answer(image, line.trim())}\n`);
  }
  await runtime.dispose();
}

main().catch((error: unknown) => {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exitCode = 1;
});
