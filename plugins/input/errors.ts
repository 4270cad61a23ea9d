import { catalogue, ExitCode, UserError } from '../../core/errors';

export const errors = catalogue('input', {
  empty: (v: { source: string; where: string }) => ({
    what: `The data source "${v.source}" (${v.where}) has no examples.`,
    fix: 'check its options, such as the split or the path.',
  }),
  example: (v: {
    index: number;
    source: string;
    name?: string;
    place: string;
    what: string;
    fix: string;
  }) => ({
    what: `Example ${v.index} of the data source "${v.source}"${v.name === undefined ? '' : ` (${v.name})`} ${v.place}: ${v.what}`,
    fix: v.fix,
  }),
  noFeatures: (v: { pp: string }) => ({
    what: `After the preprocessing (${v.pp}) an example has no features left.`,
    fix: "end it with the features that the model and the loss read: keep('image', 'labels').",
  }),
  notAnArray: (v: { key: string; found: string; pp: string; arrays: readonly string[] }) => ({
    what: `After the preprocessing (${v.pp}) an example has "${v.key}", ${v.found}, which can't be in a batch.`,
    fix: `turn it into an array of numbers, or end the preprocessing with keep(${v.arrays.map((key) => `'${key}'`).join(', ') || "'image'"}).`,
  }),
  shape: (v: { key: string; index: number; found: string; first: number; expected: string }) => ({
    what: `"${v.key}" is ${v.found} in example ${v.index}, but ${v.expected} in the first one (${v.first}); a batch needs one shape and type.`,
    fix: `bring all to one shape in the preprocessing, as with resize, central_crop or pad_to_shape.`,
  }),
  keys: (v: { index: number; found: readonly string[]; first: number; expected: readonly string[] }) => ({
    what: `Example ${v.index} has the features ${v.found.join(', ')} after preprocessing, but the first one (${v.first}) has ${v.expected.join(', ')}.`,
    fix: `add setdefault for what may be missing, and keep(${v.expected.map((key) => `'${key}'`).join(', ')}) at the end.`,
  }),
  workerCrashed: (v: { reason: string }) => ({
    what: `A worker thread of the input pipeline ended while it made a batch: ${v.reason}.`,
    fix: 'set input.workers to 0 to see where; if memory ran out, use fewer workers or smaller batches.',
    exitCode: ExitCode.failure,
  }),
});

/** An error as plain data, since classes don't survive the way between threads. */
export interface ErrorMessage {
  readonly user?: {
    readonly code: string;
    readonly what: string;
    readonly fix: string;
    readonly exitCode: ExitCode;
  };
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
  readonly cause?: ErrorMessage;
}

export function toMessage(error: unknown): ErrorMessage {
  const { name, message, stack, cause } = error instanceof Error ? error : new Error(String(error));
  const { code, what, fix, exitCode } = error as UserError;
  return {
    ...(error instanceof UserError && { user: { code, what, fix, exitCode } }),
    name,
    message,
    stack,
    ...(cause !== undefined && { cause: toMessage(cause) }),
  };
}

export function fromMessage({ user, name, message, stack, cause }: ErrorMessage): Error {
  const options = cause && { cause: fromMessage(cause) };
  const error = user
    ? new UserError(user.code, user.what, user.fix, user.exitCode, options)
    : Object.assign(new Error(message, options), { name });
  error.stack = stack;
  return error;
}
