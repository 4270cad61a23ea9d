import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { HostArray } from '../../array';
import { createPipeline, parseCalls } from '../../call-string';
import { drawRng } from '../../draws';
import { catalogue, ExitCode } from '../../errors';
import type { Example, Feature } from '../../extensions';
import { isDict } from '../../tree';
import { openSession } from '../../workspace/session';
import type { CommandInput } from '../command';
import { type Cell, writeGrid } from '../../grid';
import type { ppArguments, ppOptions } from '../options';
import { print } from '../print';

const errors = catalogue('bv-pp', {
  noImages: () => ({
    what: 'There are no images to show.',
    fix: "name files: bv pp 'inception_crop(224)|flip_lr' cat.jpg dog.jpg.",
  }),
  unreadable: (v: { file: string; reason: string }) => ({
    what: `Can't read ${v.file}: ${v.reason}.`,
    fix: 'correct the path.',
  }),
});

export async function pp({
  args,
  options,
}: CommandInput<typeof ppOptions, typeof ppArguments>): Promise<ExitCode> {
  const { out = 'pp.png', repeat = 4, seed = 1, key = 'image' } = options;
  if (args.images.length === 0) throw errors.noImages();
  const { registry, container } = openSession(process.cwd());
  const pipeline = (text: string) => createPipeline(text, registry, container, 'pp');
  const [first] = parseCalls(args.ops, 'pp');
  const ops = pipeline(first?.name.startsWith('decode') ? args.ops : `decode|${args.ops}`);
  const decode = pipeline('decode');
  const rows: Cell[][] = [];
  for (const [row, file] of args.images.entries()) {
    const example: Example = { image: read(file) };
    const before = cellOf(await decode(example, drawRng(0, 0)), 'image');
    const cells: Cell[] = [{ ...before, label: [basename(file), ...before.label] }];
    for (let draw = 0; draw < repeat; draw++) {
      cells.push(cellOf(await ops(example, drawRng(seed, row * repeat + draw)), key));
    }
    rows.push(cells);
  }
  await writeGrid(out, rows);
  print(`${out}: ${rows.length} ${rows.length === 1 ? 'image' : 'images'}, ${repeat} draws each`);
  return ExitCode.ok;
}

function read(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw errors.unreadable({ file, reason: (error as Error).message });
  }
}

/** The feature as a picture, its shape and type, and the other features in a word each. */
function cellOf(example: Example, key: string): Cell {
  const { [key]: shown, ...others } = example;
  const rest = Object.entries(others).map(([name, value]) => `${name}: ${summary(value)}`);
  const label = [shown === undefined ? `no ${key}` : summary(shown), ...rest];
  return { image: shown instanceof HostArray ? shown : undefined, label };
}

function summary(value: Feature): string {
  if (value instanceof HostArray) {
    if (value.data.length > 8) return `${value.dtype} ${value.shape.join('x')}`;
    return `${value.dtype} [${Array.from(value.data, (x) => Number(x.toPrecision(4))).join(' ')}]`;
  }
  if (value instanceof Uint8Array) return `${value.length} bytes`;
  if (Array.isArray(value)) return `[${(value as Feature[]).map(summary).join(', ')}]`;
  if (isDict(value)) return `{${Object.entries(value).map(([name, item]) => `${name}: ${summary(item as Feature)}`).join(', ')}}`; // prettier-ignore
  return String(value);
}
