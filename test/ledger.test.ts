// The ledger: every pinned project still does what it did when it was pinned. Ten steps of its config give the losses of the pin,
// the train step is the same program, and a killed run goes on with the same bits. Where a change is meant, `bv pin NAME` records it, and the review sees it.

import * as fs from 'node:fs';
import * as path from 'node:path';
import { tenSteps } from '../core/cli/commands/pin';
import { pinnedProjects, readPin } from '../core/pins/pin';
import { bv, root } from './support/cli';
import { expectExactResumption } from './support/resumption';

jest.setTimeout(180_000);

const projects = fs
  .readdirSync(path.join(root, 'proj'))
  .filter((name) => fs.existsSync(path.join(root, 'proj', name, 'pin.json')));

test.each(projects)('%s', async (project) => {
  const pin = await readPin(root, project);
  const { losses, program } = await tenSteps(root, pin.config, pin.overrides);
  expect(losses).toHaveLength(pin.losses.length);
  // Processors differ in their last bits, which ten steps make larger.
  losses.forEach((loss, i) => expect(Math.abs(loss / (pin.losses[i] as number) - 1)).toBeLessThan(1e-3));
  expect(program).toBe(pin.program);
});

test.each(projects)('a killed run of %s goes on with the same bits', async (project) => {
  const { config, overrides } = await readPin(root, project);
  const given = overrides.map((text) => text.replace(/^--config\./, '').split(/=(.*)/s) as [string, string]);
  await expectExactResumption(config, { ...Object.fromEntries(given), evals: '{}' });
});

test('the table of the README is the one that the pins give', async () => {
  expect(await pinnedProjects(root)).toEqual(projects);
  const { stdout } = await bv(['pin', 'table']);
  expect(fs.readFileSync(path.join(root, 'README.md'), 'utf8')).toContain(stdout.trim());
});
