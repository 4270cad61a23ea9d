// `BV_TIMING=1` prints when each part of a command was done: milliseconds since the process started, and how many of
// them a core was busy, which doesn't depend on what else the machine does.

interface Mark {
  readonly name: string;
  readonly ms: number;
  readonly busy: number;
}

const marks: Mark[] = [];
const details: [name: string, ms: number][] = [];

export function mark(name: string): void {
  const { user, system } = process.cpuUsage();
  marks.push({ name, ms: performance.now(), busy: (user + system) / 1000 });
}

/** A part of what the next mark is about: one plugin of all that are imported. */
export function detail(name: string, ms: number): void {
  details.push([name, ms]);
}

export function printTimings(): void {
  mark('end');
  const column = (ms: number) => `${ms.toFixed(0).padStart(7)} ms`;
  const write = (text: string) => void process.stderr.write(`${text}\n`);
  write(`${'at'.padStart(10)}${'took'.padStart(10)}${'busy'.padStart(10)}`);
  let before: Mark = { name: '', ms: 0, busy: 0 };
  for (const now of marks) {
    write(`${column(now.ms)}${column(now.ms - before.ms)}${column(now.busy - before.busy)}  ${now.name}`);
    before = now;
  }
  for (const [name, ms] of details.sort((a, b) => b[1] - a[1])) write(`${column(ms)}  ${name}`);
}
