// What to tell of an error that code of a user (a config, a plugin) has thrown: its message and its place, no stack.

import path from 'node:path';
import { UserError } from './errors';

/** The error's name, message and, where the stack shows it, the line of the user's file. */
export function describeThrown(error: unknown, file?: string): string {
  if (!(error instanceof Error) && !isErrorLike(error)) return String(error);
  if (error instanceof UserError) return error.what;
  const message = cleanMessage(error.message);
  const name = error.name === 'Error' || error.name === undefined ? '' : `${error.name}: `;
  const place = placeOf(error.stack, file);
  return `${name}${message}${place === undefined || message.includes(place) ? '' : ` (${place})`}`;
}

/** Keeps what caused an error, for --debug. */
export function withCause<E extends Error>(error: E, cause: unknown): E {
  error.cause = cause;
  return error;
}

/** Errors of another realm (jest's, a worker's) aren't instances of ours. */
function isErrorLike(error: unknown): error is Error {
  return typeof error === 'object' && error !== null && 'message' in error && 'stack' in error;
}

/** swc prints its frame in the message; a missing module lists who required it. The rest is noise here. */
function cleanMessage(message: string): string {
  return (
    message
      .replace(/\nRequire stack:[\s\S]*$/, '')
      .replace(/\n+Caused by:[\s\S]*$/, '')
      // eslint-disable-next-line no-control-regex
      .replace(/\u001b\[[0-9;]*m/g, '')
      .trim()
  );
}

function placeOf(stack: string | undefined, file: string | undefined): string | undefined {
  for (const line of stack?.split('\n') ?? []) {
    const match = /^\s+at (?:.* \()?(?:file:\/\/)?(.+?:\d+:\d+)\)?$/.exec(line);
    const place = match?.[1];
    if (
      place === undefined ||
      place.startsWith('node:') ||
      place.includes(`${path.sep}node_modules${path.sep}`)
    )
      continue;
    if (file !== undefined && !place.startsWith(`${file}:`)) continue;
    return path.relative(process.cwd(), place);
  }
  return undefined;
}
