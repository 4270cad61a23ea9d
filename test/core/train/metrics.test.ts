import * as fs from 'node:fs';
import * as path from 'node:path';
import { metricsFile, MetricsWriter } from '../../../core/train/metrics';
import { temporaryFolder } from '../../support/temporary';

const lines = (workdir: string) =>
  fs.readFileSync(path.join(workdir, metricsFile), 'utf8').split('\n').filter(Boolean);

test('one JSON object a line, written at once', () => {
  const workdir = temporaryFolder();
  const writer = new MetricsWriter(workdir, 0);
  writer.write(1, { training_loss: 2.5 });
  writer.write(2, {});
  writer.write(3, { training_loss: 2, 'test/prec@1': 0.5 });
  expect(lines(workdir).map((line) => JSON.parse(line) as unknown)).toEqual([
    { step: 1, training_loss: 2.5 },
    { step: 3, training_loss: 2, 'test/prec@1': 0.5 },
  ]);
  writer.close();
});

test('a resumed run drops the lines of steps that it repeats, and a line that a crash cut', () => {
  const workdir = temporaryFolder();
  const file = path.join(workdir, metricsFile);
  fs.writeFileSync(file, '{"step":1,"a":1}\n{"step":2,"a":2}\n{"step":3,"a":3}\n{"step":4,"a"');
  const writer = new MetricsWriter(workdir, 2);
  writer.write(3, { a: 30 });
  writer.close();
  expect(lines(workdir)).toEqual(['{"step":1,"a":1}', '{"step":2,"a":2}', '{"step":3,"a":30}']);
});

test('without a workdir nothing is written', () => {
  const writer = new MetricsWriter(undefined, 0);
  writer.write(1, { a: 1 });
  writer.close();
});

test('a folder that is not there is a storage error', () => {
  expect(() => new MetricsWriter('/no/such/folder', 0)).toThrow(expect.objectContaining({ exitCode: 4 }));
});
