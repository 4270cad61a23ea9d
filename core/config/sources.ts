// The sources of training data: one, or several that are mixed.

import type { z } from 'zod';
import { parseOptions } from '../options';
import { type DataConfig, type InputConfig, sharesOf, sourceSchema } from './schema';

/** A data source with its preprocessing, and the config key that holds them. */
export interface InputSource extends z.output<typeof sourceSchema> {
  readonly where: string;
  /** Its share of the examples, above 0; those of all sources need not add up to 1. */
  readonly share: number;
}

/**
 * The sources of training data; those with a share of 0 are left out.
 * @throws UserError where a source that has a share isn't there
 */
export function sourcesOf(input: InputConfig): readonly InputSource[] {
  const mixed = Object.entries(sharesOf(input.data)).filter(([, share]) => share > 0);
  if (mixed.length === 0) return [{ data: input.data as DataConfig, pp: input.pp, share: 1, where: 'input' }];
  return mixed.map(([name, share]) => {
    const where = `input.${name}`;
    return { ...parseOptions(sourceSchema, input[name], where), share, where };
  });
}
