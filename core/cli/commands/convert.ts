import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import { sizeOf } from '../../array';
import type { ArraySource, Form } from '../../checkpoint/archive';
import { describeErrno, exists } from '../../checkpoint/files';
import { manifestFile, NativeReader, writeNative } from '../../checkpoint/native';
import { writeNpz } from '../../checkpoint/npz';
import { saveSafetensors } from '../../checkpoint/safetensors';
import { catalogue, ExitCode, UserError } from '../../errors';
import { selectFor } from '../checkpoint';
import type { CommandInput } from '../command';
import type { convertArguments, convertOptions } from '../options';
import { print } from '../print';
import { bytesText, secondsText } from '../units';

const errors = catalogue('bv-convert', {
  form: (v: { to: string }) => ({
    what: `"${v.to}" doesn't say which form to write.`,
    fix: 'end the name in .npz or .safetensors; a name without an ending, or with a slash at its end, becomes a checkpoint folder of our own.',
  }),
  exists: (v: { to: string }) => ({
    what: `"${v.to}" is there already.`,
    fix: 'give another name, or --force to replace it.',
  }),
  notOurs: (v: { to: string; wanted: string }) => ({
    what: `"${v.to}" is not ${v.wanted}, so it is not replaced, not even with --force.`,
    fix: 'give another name, or remove it yourself.',
  }),
  write: (v: { to: string; reason: string }) => ({
    what: `"${v.to}" can't be written: ${v.reason}.`,
    fix: 'make room, or name a folder that exists and can be written to.',
    exitCode: ExitCode.storage,
  }),
});

export async function convert({
  args,
  options,
}: CommandInput<typeof convertOptions, typeof convertArguments>): Promise<ExitCode> {
  const { match, params, force, compress } = options;
  const to = args.to.replace(/(?<=.)\/+$/, '');
  const form = formOf(args.to);
  await mayWrite(to, form, force);
  const start = performance.now();
  const { archive, selected } = await selectFor(args.from, { match, params });
  try {
    const sources: ArraySource[] = [];
    const changed = new Map<string, string[]>();
    for (const [name, source] of selected) {
      const { type, shape } = await archive.describe(source);
      sources.push({ name, spec: { dtype: type.dtype, shape }, read: () => archive.read(source) });
      if (type.name === type.dtype) continue;
      const change = `${type.name} became ${type.dtype}`;
      changed.set(change, [...(changed.get(change) ?? []), name]);
    }
    await write(to, form, sources, {
      step: archive.step ?? 0,
      meta: archive instanceof NativeReader ? archive.meta : {},
      compress,
    });
    const values = sources.reduce((sum, { spec }) => sum + sizeOf(spec.shape), 0);
    const seconds = (performance.now() - start) / 1000;
    print(
      `${to} (${form}): ${sources.length} ${sources.length === 1 ? 'array' : 'arrays'}, ` +
        `${values.toLocaleString('en')} values, ${bytesText(await sizeOn(to))}; ` +
        `from ${archive.path} (${archive.form}) in ${secondsText(seconds)}`,
    );
    for (const [change, names] of changed) print(`${change}: ${names.join(', ')}`);
    return ExitCode.ok;
  } finally {
    await archive.close();
  }
}

function formOf(to: string): Exclude<Form, 'tensorstore'> {
  if (to.endsWith('/')) return 'native';
  const ending = path.extname(to);
  if (ending === '') return 'native';
  if (ending === '.npz' || ending === '.safetensors') return ending.slice(1) as 'npz' | 'safetensors';
  throw errors.form({ to });
}

/** What is there may be replaced only if it is what it would be replaced by. */
async function mayWrite(to: string, form: Form, force: boolean): Promise<void> {
  const found = await fs.stat(to).catch(() => undefined);
  if (!found) return;
  if (!force) throw errors.exists({ to });
  const native = form === 'native';
  if (native ? !(await exists(path.join(to, manifestFile))) : !found.isFile())
    throw errors.notOurs({ to, wanted: native ? 'a checkpoint folder of ours' : 'a file' });
}

interface Details {
  readonly step: number;
  readonly meta: Readonly<Record<string, unknown>>;
  readonly compress: boolean;
}

async function write(
  to: string,
  form: Exclude<Form, 'tensorstore'>,
  arrays: readonly ArraySource[],
  { step, meta, compress }: Details,
): Promise<void> {
  if (form === 'npz') return writeNpz(to, arrays, { compress });
  if (form === 'safetensors') return saveSafetensors(to, arrays);
  try {
    await writeNative(to, { step, keep: true, meta, arrays });
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw errors.write({ to, reason: describeErrno(error as NodeJS.ErrnoException) });
  }
}

/** Bytes of a file, or of the files in a folder. */
async function sizeOn(file: string): Promise<number> {
  const found = await fs.stat(file);
  if (!found.isDirectory()) return found.size;
  const inside = await fs.readdir(file);
  const sizes = await Promise.all(inside.map((name) => sizeOn(path.join(file, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}
