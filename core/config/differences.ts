// What of a config isn't what it was: for those who start a run again with another one.

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `lr 0.003 -> 0.001`, a text for each field of plain data that differs; undefined is as good as not there. */
export function differences(before: unknown, now: unknown, at = ''): string[] {
  if (isFields(before) && isFields(now)) {
    const keys = new Set([...Object.keys(before), ...Object.keys(now)]);
    return [...keys].flatMap((key) => differences(before[key], now[key], at === '' ? key : `${at}.${key}`));
  }
  const [from, to] = [before, now].map((value) => JSON.stringify(value) ?? 'unset') as [string, string];
  return from === to ? [] : [`${at} ${from} -> ${to}`];
}
