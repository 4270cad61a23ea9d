// How a plugin says how cases of it are run, where the rules of their kind don't do.

import { z } from 'zod';
import type { Registrar } from '../plugin';
import type { ParityRunner } from './case';

/** Registers runners under `KIND NAME`, as in `model vit:resample_posemb`. */
export function registerParity(
  register: Registrar['register'],
  runners: Readonly<Record<string, ParityRunner>>,
): void {
  for (const [name, runner] of Object.entries(runners))
    register('parity', name, {
      doc: `Runs recorded cases of ${name}.`,
      options: z.strictObject({}),
      create: () => runner,
    });
}
