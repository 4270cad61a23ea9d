// `bv parity` on all cases of test/golden, with all plugins.

import type { KindSummary } from '../../core/parity';
import { bv } from '../support/cli';

interface CaseLine {
  readonly case: string;
  readonly passed: boolean;
  readonly reason?: string;
}

test('every golden case passes', async () => {
  const { stdout, stderr, code } = await bv(['parity', 'test/golden/cases', '--json']);
  const lines = stdout.trim().split('\n').map((line) => JSON.parse(line) as CaseLine); // prettier-ignore
  const summary = lines.pop() as unknown as { passed: number; failed: number; kinds: KindSummary[] };
  const failed = lines.filter(({ passed }) => !passed).map(({ case: folder, reason }) => [folder, reason]);
  expect([failed, stderr]).toEqual([[], '']);
  expect(code).toBe(0);
  expect(summary).toMatchObject({ passed: lines.length, failed: 0 });
  expect(lines.length).toBeGreaterThan(480);
  for (const { cases, passed, of_allowed } of summary.kinds) {
    expect(passed).toBe(cases);
    expect(of_allowed).toBeLessThanOrEqual(1);
  }
  // Nearly all of it is compiling, unless the cache knows the programs.
}, 1_800_000);

test('for people a case is a line, and the end says how far off each kind is', async () => {
  const { stdout } = await bv(['parity', 'test/golden/cases', '--name', 'registry:parse_name']);
  const [line, , kind, , total] = stdout.trim().split('\n');
  expect(line).toBe('pass  registry_parse_name  pp registry:parse_name  result  abs 0.0, rel 0.0  (exact)');
  expect(kind?.split(/ {2,}/)).toEqual([
    'pp',
    '1 of 1 passed',
    'abs 0.0',
    'rel 0.0',
    '0.0 of what is allowed',
  ]);
  expect(total).toBe('1 passed, 0 failed');
});
