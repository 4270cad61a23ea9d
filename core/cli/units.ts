// Numbers for people.

const prefixes = ['', 'k', 'M', 'G', 'T', 'P', 'E'] as const;

/** `12.3 T` of a count such as FLOPs; three digits. */
export function siText(value: number, unit = ''): string {
  const power = Math.min(prefixes.length - 1, value < 1 ? 0 : Math.floor(Math.log10(value) / 3 + 1e-9));
  return `${(value / 1000 ** power).toPrecision(3)} ${prefixes[power]}${unit}`.trim();
}

/** `1.50 GiB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${power === 0 ? bytes : (bytes / 1024 ** power).toFixed(2)} ${units[power]}`;
}

/** `12.3 ms` or `1.23 s`. */
export function secondsText(seconds: number): string {
  return seconds < 1 ? `${(seconds * 1000).toPrecision(3)} ms` : `${seconds.toPrecision(3)} s`;
}

/** `[######--------]`, full at 1 and beyond. */
export function bar(fraction: number, width = 30): string {
  const full = Math.max(0, Math.min(width, Math.round(fraction * width)));
  return `[${'#'.repeat(full)}${'-'.repeat(width - full)}]`;
}
