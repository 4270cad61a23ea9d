// `BV_TIMING=1` prints when each part of a command was done, in milliseconds since the process started.

const marks: [name: string, ms: number][] = [];

export function mark(name: string): void {
  marks.push([name, performance.now()]);
}

const details: [name: string, ms: number][] = [];

/** A part of what the next mark is about: one plugin of all that are imported. */
export function detail(name: string, ms: number): void {
  details.push([name, ms]);
}

export function printTimings(): void {
  let before = 0;
  for (const [name, ms] of [...marks, ['end', performance.now()] as const]) {
    process.stderr.write(`${ms.toFixed(0).padStart(7)} ms  +${(ms - before).toFixed(0).padEnd(5)} ${name}\n`);
    before = ms;
  }
  for (const [name, ms] of details.sort((a, b) => b[1] - a[1])) {
    process.stderr.write(`${ms.toFixed(0).padStart(7)} ms  of it: ${name}\n`);
  }
}
