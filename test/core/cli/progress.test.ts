import { stripVTControlCharacters } from 'node:util';
import { createProgress, formatNumber, hms } from '../../../core/progress';

function plain(every = 10) {
  let text = '';
  let time = 0;
  const stream = { write: (chunk: string) => (text += chunk) } as unknown as NodeJS.WriteStream;
  const progress = createProgress({ stream, live: false, every, now: () => time });
  return {
    progress,
    advance: (ms: number) => (time += ms),
    lines: () => stripVTControlCharacters(text).trimEnd().split('\n'),
  };
}

test('plain lines at the first step, then every few seconds, and at the last', () => {
  const { progress, advance, lines } = plain();
  for (let step = 1; step <= 25; step++) {
    progress.step({ step, total: 25, examples: 128, loss: 1 / step });
    advance(1000);
  }
  expect(lines()).toEqual([
    'step 1/25  4.0%  loss 1',
    'step 11/25  44.0%  loss 0.09091  128 img/s  ETA 14s',
    'step 21/25  84.0%  loss 0.04762  128 img/s  ETA 4s',
    'step 25/25  100%  loss 0.04  128 img/s',
  ]);
});

test('no speed from steps that were only dispatched', () => {
  const { progress, advance, lines } = plain(0);
  for (let step = 1; step <= 3; step++) {
    progress.step({ step, total: 9, examples: 8 });
    advance(1);
  }
  expect(lines().join()).not.toContain('img/s');
});

test('metrics of evaluators get a line, the trainer keeps its own out of sight', () => {
  const { progress, lines } = plain();
  progress.metrics(5, {
    training_loss: 2,
    l2_grads: 1,
    lr: 0.1,
    'img/sec/core': 3,
    gap: 1,
    'z/secs/eval/test': 1,
  });
  progress.metrics(5, { training_loss: 2, 'test/prec@1': 0.98765, 'test/loss': 0.1 });
  progress.step({ step: 5, total: 10 });
  expect(lines()).toEqual(['step 5  test/prec@1 0.9877  test/loss 0.1', 'step 5/10  50.0%  loss 2']);
});

test('the end: a table of results, then the workdir', () => {
  const { progress, lines } = plain();
  progress.finish({ metrics: { training_loss: 0.5, l2_grads: 1, 'test/prec@1': 0.9 }, workdir: 'workdir/a' });
  expect(lines().join('\n')).toMatch(/training_loss .* 0\.5 [\s\S]*test\/prec@1 .* 0\.9 /);
  expect(lines().join('\n')).not.toContain('l2_grads');
  expect(lines().at(-1)).toBe('workdir workdir/a');
});

test.each([
  [0, '0s'],
  [59.4, '59s'],
  [200, '3m20s'],
  [7500, '2h05m'],
  [24.5 * 3600, '24h30m'],
  [100 * 3600 + 600, '4d4h10m'],
])('%d seconds is %s', (seconds, text) => {
  expect(hms(seconds)).toBe(text);
});

test.each([
  [3, '3'],
  [0.123456, '0.1235'],
  [12345.6, '12346'],
  [1.5e-7, '1.5e-7'],
])('%d is written as %s', (value, text) => {
  expect(formatNumber(value)).toBe(text);
});
