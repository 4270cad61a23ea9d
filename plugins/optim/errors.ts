import { catalogue } from '../../core/errors';

export const errors = catalogue('optim', {
  uncovered: (v: { names: readonly string[]; patterns: readonly string[] }) => ({
    what: `No pattern of config.schedule matches these parameters: ${v.names.join(', ')} (patterns: ${v.patterns.join(', ')}).`,
    fix: 'add a last entry [".*", {...}], or [".*", null] to freeze them.',
  }),
  allFrozen: (patterns: readonly string[]) => ({
    what: `config.schedule freezes every parameter (patterns: ${patterns.join(', ')}), so that nothing can be learned.`,
    fix: 'give one of the patterns a schedule; to evaluate only, total_steps=0 with optax_name=identity and lr=0.',
  }),
  slash: (v: { where: string; pattern: string }) => ({
    what: `The pattern "${v.pattern}" in config.${v.where} starts with "/", but names of parameters don't.`,
    fix: `"${v.pattern.slice(1)}".`,
  }),
  pattern: (v: { where: string; pattern: string; problem: string }) => ({
    what: `The pattern "${v.pattern}" in config.${v.where} isn't a regular expression: ${v.problem}.`,
    fix: 'escape special characters with a backslash.',
  }),
  perExample: (v: { name: string; shape: readonly number[] }) => ({
    what: `grad_clip_per_example needs a gradient of each example, but that of ${v.name} is one for all: [${v.shape.join(', ')}].`,
    fix: 'leave it out, or add a plugin whose tap of the hook "gradients" returns gradients [batch, ...].',
  }),
  decayType: (v: { where: string; value: unknown }) => ({
    what: `config.${v.where}.decay_type is ${JSON.stringify(v.value)}, not a name.`,
    fix: 'one of the names that `bv list schedules` prints.',
  }),
});
