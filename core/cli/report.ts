// What is printed when a command fails.

import pc from 'picocolors';
import { ExitCode, UserError } from '../errors';

/** Prints an error to stderr and returns the exit code that goes with it. */
export function reportError(error: unknown, debug: boolean): ExitCode {
  const { red, bold, dim } = pc.createColors(
    process.stderr.isTTY === true && process.env['NO_COLOR'] === undefined,
  );
  const write = (text: string) => void process.stderr.write(`${text}\n`);
  if (error instanceof UserError) {
    write(`${bold(red('error:'))} ${error.what}`);
    write(`${bold('try:')} ${error.fix}`);
    if (debug) write(dim(`\n${error.code}\n${traceOf(error)}`));
    return error.exitCode;
  }
  const storage = storageProblem(error);
  if (storage !== undefined) {
    write(`${bold(red('error:'))} ${storage}`);
    write(`${bold('try:')} free some space, or another folder.`);
    if (debug) write(dim(`\n${traceOf(error)}`));
    return ExitCode.storage;
  }
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  write(`${bold(red('error:'))} ${text}`);
  write(
    `This is a bug in big-vision-ts or in one of the plugins.${debug ? '' : ' Run it again with --debug to see where.'}`,
  );
  if (debug) write(dim(`\n${traceOf(error)}`));
  return ExitCode.failure;
}

function traceOf(error: unknown): string {
  const traces: string[] = [];
  for (let at: unknown = error; at instanceof Error && traces.length < 5; at = at.cause)
    traces.push(at.stack ?? String(at));
  return traces.join('\ncaused by: ');
}

function storageProblem(error: unknown): string | undefined {
  const { code, message } = (error ?? {}) as NodeJS.ErrnoException;
  return ['ENOSPC', 'EDQUOT', 'EROFS'].includes(code ?? '') ? message : undefined;
}
