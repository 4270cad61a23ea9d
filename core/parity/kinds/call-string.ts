// What some texts are as call strings, as JSON.

import { type Call, parseCalls, parseCallString } from '../../call-string';
import type { ParityRunner } from '../case';
import { outcomesOf } from '../outcomes';

/** Each of `specs` as one call. */
export const parseRunner: ParityRunner = async ({ args }) =>
  new Map([['result', outcomesOf(args.specs as readonly string[], parseOne)]]);

function parseOne(text: string): object {
  const [call, ...more] = parseCalls(text);
  return call && more.length === 0 ? namedApart(call) : { error: 'not one call' };
}

function namedApart({ name, args }: Call): object {
  const named = args.filter((arg) => arg.name !== undefined).map((arg) => [arg.name, arg.value]);
  const unnamed = args.filter((arg) => arg.name === undefined).map((arg) => arg.value);
  return { name, args: unnamed, kwargs: Object.fromEntries(named) as object };
}

/** Whether each of `pipelines` can be built. */
export const buildRunner: ParityRunner = async ({ args }, { registry }) => {
  const build = (text: string) => {
    parseCallString(text, registry, 'pp', 'args.pipelines');
    return 'ok';
  };
  return new Map([['result', outcomesOf(args.pipelines as readonly string[], build)]]);
};
