// Errors that a user can act on. Each comes from a catalogue: a stable code, one sentence with the values,
// and one "Try:" line. Anything else that is thrown is a bug, and is reported as one.

/** Exit codes of `bv`. */
export const ExitCode = {
  ok: 0,
  /** A failure of ours or of the machine. */
  failure: 1,
  /** A user's mistake: config, arguments, data. */
  usage: 2,
  /** The loss, a gradient or a parameter became NaN or infinite. */
  nonFinite: 3,
  /** A disk is full, or a folder can't be written. */
  storage: 4,
  /** Stopped by SIGTERM or SIGINT after writing a checkpoint: start the same command again. */
  preempted: 75,
} as const;
export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

export interface ErrorText {
  /** One sentence with the values: what was found, where, and what was expected. */
  readonly what: string;
  /** What to do about it. */
  readonly fix: string;
  /** Overrides the exit code (a user's mistake unless said otherwise). */
  readonly exitCode?: ExitCode;
}

/** An error whose message is enough: `bv` prints it without a stack trace. */
export class UserError extends Error {
  override readonly name = 'UserError';

  constructor(
    /** Stable, for scripts and tests: `<catalogue>/<error>`. */
    readonly code: string,
    readonly what: string,
    readonly fix: string,
    readonly exitCode: ExitCode = ExitCode.usage,
    options?: ErrorOptions,
  ) {
    super(`${what}\nTry: ${fix}`, options);
  }
}

type Texts = Record<string, (...args: never[]) => ErrorText>;
type Makers<T extends Texts> = { readonly [K in keyof T]: (...args: Parameters<T[K]>) => UserError };

const kebab = (name: string) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/**
 * A folder's errors, made once and thrown by name: `throw errors.unknownKey({...})` has the code
 * `<area>/unknown-key`.
 */
export function catalogue<T extends Texts>(area: string, texts: T): Makers<T> {
  const entries = Object.entries(texts).map(([name, text]) => [
    name,
    (...args: never[]) => {
      const { what, fix, exitCode } = text(...args);
      return new UserError(`${area}/${kebab(name)}`, what, fix, exitCode);
    },
  ]);
  return Object.freeze(Object.fromEntries(entries)) as Makers<T>;
}
