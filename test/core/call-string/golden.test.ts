// Where our grammar of calls is another than the original's; where it is the same, `bv parity` tells.

import { parseCalls, parseCallString } from '../../../core/call-string';
import { textOf } from '../../../core/parity';
import { readCase } from '../../support/golden';
import { ppRegistry } from '../../support/pp';

async function results<T>(folder: string): Promise<T> {
  const { outputs } = await readCase(folder);
  return JSON.parse(textOf(outputs.get('result')!)) as T;
}

test('oddities of Python fail, or are read as they look', async () => {
  const { args } = await readCase('registry_parse_quirks');
  const want = await results<{ name: string }[]>('registry_parse_quirks');
  const read = (args.specs as string[]).map((spec, i) => {
    try {
      return parseCalls(spec)[0]?.name === (want[i]?.name ?? spec).trim() ? 'same' : 'other';
    } catch {
      return 'fails';
    }
  });
  // The other one is a name with a comment behind it, which is no part of the name here.
  expect(read).toEqual(['same', 'same', 'fails', 'fails', 'other', 'same', 'same', 'same', 'same']);
});

test('spaces around pipes are fine, and so are pipes within quotes', async () => {
  const { args } = await readCase('registry_builder_lenient');
  for (const pipeline of args.pipelines as string[])
    expect(() => parseCallString(pipeline, ppRegistry, 'pp', 'pp')).not.toThrow();
  expect(JSON.stringify(await results('registry_builder_lenient'))).not.toContain('"ok"');
});
