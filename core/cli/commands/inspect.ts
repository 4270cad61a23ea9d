import { sizeOf } from '../../array';
import type { Archive } from '../../checkpoint/archive';
import { type Statistics, statisticsOf } from '../../checkpoint/statistics';
import { storedBytes } from '../../checkpoint/stored';
import { ExitCode } from '../../errors';
import { selectFor } from '../checkpoint';
import type { CommandInput } from '../command';
import type { inspectArguments, inspectOptions } from '../options';
import { print, printTable } from '../print';
import { bytesText } from '../units';

interface Row {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: number;
  readonly bytes: number;
  readonly statistics?: Statistics;
}

export async function inspect({
  args,
  options,
}: CommandInput<typeof inspectOptions, typeof inspectArguments>): Promise<ExitCode> {
  const { json, match, params, quick, depth } = options;
  const { archive, selected } = await selectFor(args.file, { match, params });
  try {
    const rows: Row[] = [];
    for (const [name, source] of selected) rows.push(await describe(archive, name, source, quick));
    const total = sumOf(rows);
    const { form, path, step } = archive;
    if (json) {
      const head = { path, form, ...(step !== undefined && { step }), ...total, dtypes: byType(rows) };
      print(
        JSON.stringify({
          ...head,
          arrays: rows.map(({ statistics, ...row }) => ({ ...row, ...statistics })),
        }),
      );
      return ExitCode.ok;
    }
    if (depth === undefined) printRows(rows, quick);
    else printFolders(rows, depth);
    const types = Object.entries(byType(rows)).map(
      ([dtype, values]) => `${values.toLocaleString('en')} ${dtype}`,
    );
    const at = step === undefined ? '' : `, step ${step}`;
    print(
      `\n${path} (${form}${at}): ${rows.length} ${rows.length === 1 ? 'array' : 'arrays'}, ` +
        `${total.values.toLocaleString('en')} values (${types.join(', ')}), ${bytesText(total.bytes)}`,
    );
    const broken = rows.filter(({ statistics }) => statistics && statistics.nan + statistics.infinite > 0);
    if (broken.length > 0) print(`NaN or infinite values in: ${broken.map(({ name }) => name).join(', ')}`);
    return ExitCode.ok;
  } finally {
    await archive.close();
  }
}

async function describe(archive: Archive, name: string, source: string, quick: boolean): Promise<Row> {
  const stored = await archive.describe(source);
  const { type, shape } = stored;
  const row = { name, dtype: type.name, shape, values: sizeOf(shape), bytes: storedBytes(stored) };
  return quick ? row : { ...row, statistics: await statisticsOf(archive, source) };
}

const sumOf = (rows: readonly Row[]) => ({
  values: rows.reduce((sum, { values }) => sum + values, 0),
  bytes: rows.reduce((sum, { bytes }) => sum + bytes, 0),
});

function byType(rows: readonly Row[]): Record<string, number> {
  const values: Record<string, number> = {};
  for (const row of rows) values[row.dtype] = (values[row.dtype] ?? 0) + row.values;
  return values;
}

const shapeText = (shape: readonly number[]) => `[${shape.join(', ')}]`;

function printRows(rows: readonly Row[], quick: boolean): void {
  const head = ['name', 'dtype', 'shape', 'values', 'min', 'mean', 'max', 'std', 'nan', 'inf'];
  const cells = rows.map(({ name, dtype, shape, values, statistics }) => {
    const row = [name, dtype, shapeText(shape), values.toLocaleString('en')];
    if (!statistics) return row;
    const { min, mean, max, std, nan, infinite } = statistics;
    return [...row, ...[min, mean, max, std].map(number), String(nan), String(infinite)];
  });
  printTable(quick ? head.slice(0, 4) : head, cells);
}

const number = (value: number | null) => (value === null ? '-' : String(Number(value.toPrecision(4))));

/** A line for each folder of the tree down to this depth, with the sums of what is in it. */
function printFolders(rows: readonly Row[], depth: number): void {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const parts = row.name.split('/');
    const folder = parts.length > depth ? `${parts.slice(0, depth).join('/')}/` : row.name;
    groups.set(folder, [...(groups.get(folder) ?? []), row]);
  }
  printTable(
    ['name', 'arrays', 'values', 'bytes'],
    [...groups].map(([folder, inside]) => {
      const { values, bytes } = sumOf(inside);
      return [folder, String(inside.length), values.toLocaleString('en'), bytesText(bytes)];
    }),
  );
}
