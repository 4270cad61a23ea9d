// What the parser of call strings makes of some texts, as JSON.

import { parseCalls } from '../../call-string';
import { UserError } from '../../errors';
import type { ParityRunner } from '../case';

export const parseRunner: ParityRunner = async ({ args }) =>
  new Map([['result', JSON.stringify((args.specs as readonly string[]).map(parseOne))]]);

function parseOne(text: string): object {
  try {
    const [call, ...more] = parseCalls(text);
    if (!call || more.length > 0) return { error: 'not one call' };
    const named = call.args.filter((arg) => arg.name !== undefined).map((arg) => [arg.name, arg.value]);
    const args = call.args.filter((arg) => arg.name === undefined).map((arg) => arg.value);
    return { name: call.name, args, kwargs: Object.fromEntries(named) as object };
  } catch (error) {
    if (error instanceof UserError) return { error: error.code };
    throw error;
  }
}
