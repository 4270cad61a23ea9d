// The ledger: every pinned project still does what it did when it was pinned. Ten steps of its config give the losses of the pin,
// the train step is the same program, and a killed run goes on with the same bits. Where a change is meant, `bv pin NAME` records it, and the review sees it.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { openExperiment } from '../core/cli/experiment';
import { takeOverrides } from '../core/config/overrides';
import { type Pin, pinnedProjects, pinnedSteps, readPin } from '../core/pins/pin';
import { sha256 } from '../core/provenance';
import { openTestbed } from '../core/testing';
import { bv, root } from './support/cli';
import { expectExactResumption, shortRun } from './support/resumption';
import { metricsOf, trainToEnd } from './support/runs';
import { temporaryFolder } from './support/temporary';

const projects = fs
  .readdirSync(path.join(root, 'proj'))
  .filter((name) => fs.existsSync(path.join(root, 'proj', name, 'pin.json')));

describe.each(projects)('%s', (project) => {
  const whole = temporaryFolder();
  let pin: Pin;
  let args: string[];
  beforeAll(async () => {
    pin = await readPin(root, project);
    args = [...shortRun({ total_steps: String(pinnedSteps) }), ...pin.overrides];
    expect(await trainToEnd(pin.config, whole, ...args)).toMatchObject({ code: 0 });
  });

  test('ten steps have the losses of the pin', () => {
    const losses = metricsOf(whole).map(({ training_loss }) => training_loss as number);
    expect(losses).toHaveLength(pin.losses.length);
    // Processors differ in their last bits, which ten steps make larger.
    losses.forEach((loss, i) => expect(Math.abs(loss / (pin.losses[i] as number) - 1)).toBeLessThan(1e-3));
  });

  test('the step is the same program', async () => {
    const { overrides } = takeOverrides(pin.overrides);
    const experiment = await openExperiment('pin', path.join(root, pin.config), overrides);
    const testbed = await openTestbed(experiment.session);
    try {
      expect(sha256((await testbed.programOf(experiment.config)) as string)).toBe(pin.program);
    } finally {
      await testbed.close();
    }
  });

  test('a killed run goes on with the same bits', () => expectExactResumption(pin.config, args, whole));
});

test('the table of the README is the one that the pins give', async () => {
  expect(await pinnedProjects(root)).toEqual(projects);
  const { stdout } = await bv(['pin', 'table']);
  expect(fs.readFileSync(path.join(root, 'README.md'), 'utf8')).toContain(stdout.trim());
});
