// Folders of recorded cases, each with `case.json`, `inputs.npz` and `outputs.npz`.

import { readFileSync, readdirSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { z } from 'zod';
import type { HostArray } from '../array';
import { readNpz } from '../checkpoint/npz';
import { catalogue } from '../errors';
import { isFile } from '../is-file';
import { parseOptions } from '../options';
import { type NestedRecord, nest } from '../tree';
import type { CaseInfo, RecordedCase, Texts } from './case';

const errors = catalogue('parity', {
  noFolder: (v: { folder: string }) => ({
    what: `There is no folder "${v.folder}".`,
    fix: 'name a folder of a case (it has a case.json), or one that holds such folders.',
  }),
  noCases: (v: { folder: string }) => ({
    what: `"${v.folder}" holds no cases: neither it nor a folder in it has a case.json.`,
    fix: 'name a folder of a case, or one that holds such folders.',
  }),
  notJson: (v: { file: string; reason: string }) => ({
    what: `"${v.file}" can't be read: ${v.reason}.`,
    fix: 'record the case again.',
  }),
});

const dictionary = z.record(z.string(), z.unknown());
const toleranceSchema = z.looseObject({ atol: z.number(), rtol: z.number() });
const texts: z.ZodType<Texts> = z.lazy(() => z.union([z.string(), z.array(texts)]));
const caseSchema = z.looseObject({
  kind: z.string(),
  name: z.string(),
  args: dictionary.default({}),
  call: z
    .looseObject({
      kwargs: dictionary,
      method: z.string(),
      rngs: z.record(z.string(), z.number()),
      seed: z.int(),
    })
    .partial()
    .optional(),
  jit: z.boolean().optional(),
  loss: z.string().optional(),
  tolerance: toleranceSchema,
  tolerances: z.record(z.string(), toleranceSchema).optional(),
  atol_scores: z.number().optional(),
  output_keys: z.array(z.string()).optional(),
  distribution: z.boolean().optional(),
  string_inputs: z.record(z.string(), texts).optional(),
  string_outputs: z.array(z.string()).optional(),
  note: z.string().optional(),
});

/**
 * The folders of all cases that the given folders are or hold, in order.
 * @throws UserError naming a folder that isn't there, or that has nothing to do with cases
 */
export function caseFolders(folders: readonly string[]): string[] {
  return folders.flatMap((folder) => {
    if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) throw errors.noFolder({ folder });
    if (isFile(join(folder, 'case.json'))) return [folder];
    const inside = readdirSync(folder)
      .sort()
      .map((name) => join(folder, name))
      .filter((path) => isFile(join(path, 'case.json')));
    if (inside.length === 0) throw errors.noCases({ folder });
    return inside;
  });
}

/** What a case is, without its arrays. @throws UserError naming the file and what is wrong with it */
export function readCaseInfo(folder: string): CaseInfo {
  const file = join(folder, 'case.json');
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw errors.notJson({ file, reason: (error as Error).message });
  }
  return parseOptions(caseSchema, json, '', `${basename(folder)}/case.json`) as CaseInfo;
}

/** @throws UserError naming the file that is missing or damaged */
export async function readCase(folder: string): Promise<RecordedCase> {
  const info = readCaseInfo(folder);
  const [inputs, outputs] = await Promise.all([
    readArrays(join(folder, 'inputs.npz')),
    readArrays(join(folder, 'outputs.npz')),
  ]);
  return { ...info, folder, inputs, outputs, wanted: new Set(outputs.keys()) };
}

/** A zip archive of nothing, which `readNpz` takes for a damaged one: cases without inputs have it. */
const emptyZip = Buffer.concat([Buffer.from('PK\x05\x06'), Buffer.alloc(18)]);

async function readArrays(file: string): Promise<ReadonlyMap<string, HostArray>> {
  const size = statSync(file, { throwIfNoEntry: false })?.size;
  const empty = size === emptyZip.length && emptyZip.equals(await readFile(file));
  return empty ? new Map<string, HostArray>() : readNpz(file);
}

/** The tree of the arrays under a prefix: `arraysUnder(inputs, 'params')`. */
export function arraysUnder(arrays: ReadonlyMap<string, HostArray>, prefix: string): NestedRecord<HostArray> {
  const start = `${prefix}/`;
  const found = [...arrays].filter(([name]) => name.startsWith(start));
  return nest(found.map(([name, array]) => [name.slice(start.length), array] as const));
}

/** The arrays that stand under none of these prefixes. */
export function arraysBeside(
  arrays: ReadonlyMap<string, HostArray>,
  ...prefixes: readonly string[]
): Map<string, HostArray> {
  return new Map([...arrays].filter(([name]) => !prefixes.some((prefix) => name.startsWith(`${prefix}/`))));
}
