// How the next word is chosen: "greedy", "temperature(t)" or "nucleus(p, t=1.0)".

import { z } from 'zod';
import { parseCalls } from '../../core/call-string';
import { catalogue } from '../../core/errors';
import { parseOptions } from '../../core/options';
import { didYouMean } from '../../core/suggest';
import * as tf from '../../core/tensor';
import { nucleus } from '../../plugins/decoder';

/** Traced: int32 [batch] from logits, float [batch, vocabulary]. */
export type Sampler = (logits: tf.Tensor, key: tf.Tensor) => tf.Tensor;

const where = 'the option "sampler"';
const errors = catalogue('paligemma', {
  unknownSampler: (v: { name: string; known: readonly string[] }) => ({
    what: `There is no sampler "${v.name}".${didYouMean(v.name, v.known)}`,
    fix: 'one of: greedy, temperature(1.0), nucleus(0.1).',
  }),
  oneSampler: (v: { text: string }) => ({
    what: `"${v.text}" isn't one sampler.`,
    fix: 'one of: greedy, temperature(1.0), nucleus(0.1).',
  }),
});

const positive = z.number().positive();
const draw = (key: tf.Tensor, logits: tf.Tensor) => tf.cast(tf.random.categorical(key, logits), 'int32');

function sampler<Schema extends z.ZodObject>(
  schema: Schema,
  positional: readonly (keyof z.output<Schema> & string)[],
  make: (options: z.output<Schema>) => Sampler,
) {
  return (args: ReturnType<typeof parseCalls>[number]['args']): Sampler => {
    const given = args.map(({ name, value }, i) => [name ?? positional[i] ?? `argument ${i + 1}`, value]);
    return make(parseOptions(schema, Object.fromEntries(given), where));
  };
}

const samplers: Readonly<Record<string, ReturnType<typeof sampler>>> = {
  greedy: sampler(z.strictObject({}), [], () => (logits) => tf.cast(tf.argMax(logits, -1), 'int32')),
  temperature: sampler(
    z.strictObject({ t: positive }),
    ['t'],
    ({ t }) =>
      (logits, key) =>
        draw(key, tf.div(logits, t)),
  ),
  // From the fewest best words that together have the probability p (arXiv:1904.09751).
  nucleus: sampler(
    z.strictObject({ p: z.number().min(0).max(1), t: positive.default(1) }),
    ['p', 't'],
    ({ p, t }) =>
      (logits, key) =>
        draw(key, nucleus(tf.div(logits, t), p)),
  ),
};

export function parseSampler(text: string): Sampler {
  const [call, ...more] = parseCalls(text, where);
  if (!call || more.length > 0) throw errors.oneSampler({ text });
  const make = samplers[call.name];
  if (!make) throw errors.unknownSampler({ name: call.name, known: Object.keys(samplers) });
  return make(call.args);
}
