// Cases whose ops take texts, or which are named after single functions: as `bv parity` runs them.

import { join } from 'node:path';
import { parityServices, runCase } from '../../../core/parity';
import type { Runtime } from '../../../core/runtime';
import { goldenCases, goldenRoot } from '../../support/golden';
import { ppServices } from '../../support/pp';

// Nothing of preprocessing runs on a runtime.
const services = parityServices({} as Runtime, ppServices);

it.each(goldenCases(({ folder }) => folder.startsWith('ppmore_')).map(({ folder }) => folder))(
  '%s',
  async (folder) => {
    const verdict = await runCase(join(goldenRoot, folder), services);
    expect(verdict).toEqual({ ...verdict, reason: undefined, passed: true });
  },
);
