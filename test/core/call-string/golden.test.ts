// What the original's parser and builder accept and reject.

import { parseCalls, parseCallString } from '../../../core/call-string';
import { UserError } from '../../../core/errors';
import { goldenCases, readCase } from '../../support/golden';
import { ppRegistry } from '../../support/pp';

type Parsed = { name?: string; args?: unknown; kwargs?: unknown; error?: string; unrepresentable?: boolean };

async function results<T>(folder: string): Promise<T> {
  const { outputs } = await readCase(folder);
  return JSON.parse(Buffer.from(outputs.get('result')!.data as Uint8Array).toString('utf8')) as T;
}

function parseOne(text: string): Parsed {
  try {
    const [call, ...more] = parseCalls(text);
    if (!call || more.length > 0) return { error: 'not one call' };
    const named = call.args.filter((a) => a.name !== undefined).map((a) => [a.name, a.value] as const);
    const args = call.args.filter((a) => a.name === undefined).map((a) => a.value);
    return { name: call.name, args, kwargs: Object.fromEntries(named) };
  } catch (error) {
    if (error instanceof UserError) return { error: error.code };
    throw error;
  }
}

/** Spaces around a call are fine here. */
const lenient = new Set([' f']);

describe('calls as the original reads them', () => {
  it('has the case', () => {
    const folders = goldenCases((info) => info.name === 'registry:parse_name').map(({ folder }) => folder);
    expect(folders).toContain('registry_parse_name');
  });

  it('agrees on every spec', async () => {
    const { args } = await readCase('registry_parse_name');
    const want = await results<Parsed[]>('registry_parse_name');
    (args.specs as string[]).forEach((spec, i) => {
      const got = parseOne(spec);
      if (lenient.has(spec)) expect(got).toEqual({ name: spec.trim(), args: [], kwargs: {} });
      else if (want[i]!.error ?? want[i]!.unrepresentable)
        expect([spec, typeof got.error]).toEqual([spec, 'string']);
      else expect([spec, got]).toEqual([spec, want[i]]);
    });
  });
});

describe('pipelines as the original builds them', () => {
  // Ours takes spaces around pipes, and a pipe in a quoted text.
  const more = new Set(["copy('a|b', 'c')", 'resize(8) | flip_lr', 'flip_lr | resize(8)', ' resize(8)']);

  it('agrees on what can be built', async () => {
    const { args } = await readCase('registry_builder');
    const want = await results<('ok' | { error: string })[]>('registry_builder');
    (args.pipelines as string[]).forEach((pipeline, i) => {
      let got = 'ok';
      try {
        parseCallString(pipeline, ppRegistry, 'pp', 'pp');
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
        got = 'error';
      }
      expect([pipeline, got]).toEqual([pipeline, more.has(pipeline) || want[i] === 'ok' ? 'ok' : 'error']);
    });
  });
});
