// The entry of `bv`: runs a command, reports what went wrong, and ends the process with the code that says which kind.

import { takeOverrides } from '../config/overrides';
import { ExitCode } from '../errors';
import { runProgram } from './program';
import { reportError } from './report';
import { printTimings } from './timing';

export async function main(argv: readonly string[]): Promise<void> {
  const words = argv.slice(2);
  const debug = words.includes('--debug');
  const end = (code: ExitCode) => {
    if (process.env['BV_TIMING']) printTimings();
    // A worker or a device that hasn't closed must not keep the command alive.
    process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
  };
  // `bv list | head`: the reader has gone, and nothing is wrong. A run goes on: it has its workdir.
  const isRun = words[0] === 'train';
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (!isRun) process.exit(ExitCode.ok);
  });
  process.on('uncaughtException', (error) => end(reportError(error, debug)));
  try {
    const { overrides, rest } = takeOverrides(words);
    end(await runProgram(rest, overrides));
  } catch (error) {
    end(reportError(error, debug));
  }
}
