// Real processes that find each other through the coordinator, agree, stop together, and hear of each other's end.

import { type Ended, freeAddress, startScript } from '../../support/processes';

const start = (coordinator: string, count: number, index: number, how: string) =>
  startScript('process.ts', [coordinator, String(count), String(index), how]);

async function all(hows: readonly string[]): Promise<Ended[]> {
  const coordinator = await freeAddress();
  return Promise.all(hows.map((how, index) => start(coordinator, hows.length, index, how)));
}

test.concurrent(
  'all stop after the same step, though one alone was asked to; the attempt is the same for all',
  async () => {
    const ended = await all(['stops', '', '']);
    expect(ended.map(({ code, stderr }) => ({ code, stderr }))).toEqual(
      Array(3).fill({ code: 0, stderr: '' }),
    );
    const [first] = ended as [Ended];
    expect(first.stdout).toMatch(/^attempt [0-9a-f]{8}\nstopped after \d+\nleft\n$/);
    expect(new Set(ended.map(({ stdout }) => stdout)).size).toBe(1);
  },
);

test.concurrent('one that has no more steps keeps nobody waiting', async () => {
  const [first, second] = (await all(['stops', 'short'])) as [Ended, Ended];
  expect([first.code, second.code]).toEqual([0, 0]);
  expect(second.stdout).toContain('stopped after 2\nleft');
});

test.concurrent('what one of them doubts is true for none', async () => {
  const [doubted, trusted] = await Promise.all([all(['trusts', 'doubts']), all(['trusts', 'trusts'])]);
  for (const { code, stdout } of doubted)
    expect([code, stdout]).toEqual([0, expect.stringContaining('sound: false')]);
  for (const { code, stdout } of trusted)
    expect([code, stdout]).toEqual([0, expect.stringContaining('sound: true')]);
});

test.concurrent('one that is killed ends the others, who name it', async () => {
  const [first, second, third] = (await all(['', 'blocks', 'dies'])) as [Ended, Ended, Ended];
  expect(third.signal).toBe('SIGKILL');
  expect(first.code).toBe(1);
  expect(first.stderr).toContain('Process 2 has given no sign of life for 5 seconds.');
  // It was standing still, as in a collective that never ends.
  expect(second.signal).toBe('SIGKILL');
  expect(second.stderr).toMatch(/Process 1 is ended, since it waits|Process 2 has given no sign of life/);
});

test.concurrent('one that fails says why to the others', async () => {
  const [first, second] = (await all(['fails', ''])) as [Ended, Ended];
  expect(first.stderr).toContain('The disk is full.');
  expect(second.stderr).toContain('Process 0 failed: The disk is full.');
  expect([first.code, second.code]).toEqual([2, 1]);
});

test.concurrent('one with another config, and one that is missing', async () => {
  const [first, second] = (await all(['', 'differs'])) as [Ended, Ended];
  const said = "The processes don't agree on the config: process 0 has a, process 1 has b.";
  expect(first.stderr).toContain(said);
  expect(second.stderr).toContain(said);
  const coordinator = await freeAddress();
  const there = await Promise.all([0, 2].map((index) => start(coordinator, 4, index, 'misses')));
  for (const { code, stderr } of there) {
    expect(code).toBe(1);
    expect(stderr).toContain("After 10 seconds processes 1, 3 of 4 (from 0) haven't come");
  }
});

test.concurrent('two that say they are the same, and one that counts others', async () => {
  const coordinator = await freeAddress();
  const [, second] = await Promise.all([
    start(coordinator, 2, 0, ''),
    new Promise((resolve) => setTimeout(resolve, 1500)).then(() => start(coordinator, 3, 1, '')),
  ]);
  expect(second.stderr).toContain('it counts 3 processes, and process 0 2');
});
