import { catalogue, ExitCode } from '../../errors';
import type * as parityModule from '../../parity';
import type { Difference, KindSummary, Verdict } from '../../parity';
import { caseFolders, readCaseInfo } from '../../parity/read';
import { openSession } from '../../workspace/session';
import type { CommandInput } from '../command';
import type { parityArguments, parityOptions } from '../options';
import { print, printTable } from '../print';
import { openRuntime } from '../runtime';

const errors = catalogue('parity', {
  nothing: (v: { cases: number; kind?: string; name?: string }) => ({
    what: `None of the ${v.cases} cases is ${[v.kind && `of kind "${v.kind}"`, v.name && `named like "${v.name}"`].filter(Boolean).join(' and ')}.`,
    fix: 'leave out --kind and --name to see which there are.',
  }),
});

export async function parity({
  args,
  options,
}: CommandInput<typeof parityOptions, typeof parityArguments>): Promise<ExitCode> {
  const { kind, name } = options;
  const all = caseFolders(args.cases);
  const folders = all.filter(
    (folder) => (kind === undefined && name === undefined) || isAsked(folder, options),
  );
  if (folders.length === 0) throw errors.nothing({ cases: all.length, kind, name });
  // A plugin that can't be used fails its own cases, and no others.
  const session = openSession(process.cwd(), { lenient: true });
  for (const { error } of session.failed) note(error.what);
  const runtime = await openRuntime(session, {
    name: options.runtime,
    note,
  });
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- brings the tensor library
  const { parityServices, runCase, summaryOf } = require('../../parity') as typeof parityModule;
  const services = parityServices(runtime, session);
  const verdicts: Verdict[] = [];
  try {
    for (const folder of folders) {
      const verdict = await runCase(folder, services);
      verdicts.push(verdict);
      if (options.json) print(JSON.stringify(asJson(verdict)));
      else show(verdict, options.verbose);
    }
  } finally {
    await runtime.dispose();
  }
  const kinds = summaryOf(verdicts);
  const passed = verdicts.filter((verdict) => verdict.passed).length;
  const failed = verdicts.length - passed;
  if (options.json) print(JSON.stringify({ passed, failed, kinds }));
  else {
    showKinds(kinds);
    print(`\n${passed} passed, ${failed} failed`);
  }
  return failed > 0 ? ExitCode.failure : ExitCode.ok;
}

const note = (text: string) => void process.stderr.write(`${text}\n`);

/** A case that can't be read is asked for: it has to be reported. */
function isAsked(folder: string, { kind, name }: { kind?: string; name?: string }): boolean {
  try {
    const info = readCaseInfo(folder);
    return (kind === undefined || info.kind === kind) && (name === undefined || info.name.includes(name));
  } catch {
    return true;
  }
}

function number(x: number): string {
  if (!Number.isFinite(x)) return '-';
  const text = x !== 0 && Math.abs(x) < 1e-3 ? x.toExponential(1) : x.toPrecision(2);
  return text.replace('e+', 'e');
}

const errorsOf = ({ entry, maxAbs, maxRel, allowed }: Difference) =>
  `${entry}  abs ${number(maxAbs)}, rel ${number(maxRel)}  (${allowed})`;

function showKinds(kinds: readonly KindSummary[]): void {
  print();
  printTable(
    ['kind', 'cases', 'largest error', 'relative', 'of what is allowed'],
    kinds.map(({ kind, cases, passed, max_abs, max_rel, of_allowed }) => [
      kind,
      `${passed} of ${cases} passed`,
      `abs ${number(max_abs)}`,
      `rel ${number(max_rel)}`,
      `${number(of_allowed)} of what is allowed`,
    ]),
  );
}

function show(
  { case: folder, kind, name, passed, reason, differences, seconds }: Verdict,
  all: boolean,
): void {
  const [worst, ...others] = differences;
  const title = `${passed ? 'pass' : 'FAIL'}  ${folder}  ${kind} ${name}`;
  const more = others.length > 0 ? `, ${others.length} more` : '';
  const errors = worst && Number.isFinite(worst.maxAbs) ? `  ${errorsOf(worst)}${more}` : '';
  print(`${title}${errors}${reason === undefined ? '' : `  ${reason}`}`);
  if (!all) return;
  for (const difference of differences) print(`      ${errorsOf(difference)}`);
  print(`      ${seconds.toFixed(2)} s`);
}

/** JSON knows no infinity: such errors are null. */
function asJson({ differences, ...verdict }: Verdict): object {
  const outputs = differences.map(({ entry, maxAbs, maxRel, excess, allowed }) => ({
    output: entry,
    max_abs: maxAbs,
    max_rel: maxRel,
    of_allowed: excess,
    allowed,
  }));
  return { ...verdict, outputs };
}
