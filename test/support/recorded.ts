// The data source `recorded`: arrays at hand, as examples.

import { z } from 'zod';
import type { HostArray } from '../../core/array';
import { arraySource } from '../../core/parity';
import { definePlugin, type Plugin } from '../../core/plugin';

export type Arrays = Readonly<Record<string, HostArray>>;

/** Serves the arrays' first axis; the option `split` picks the arrays. */
export const recorded = (splits: Readonly<Record<string, Arrays>>, classes?: readonly string[]) =>
  definePlugin({
    name: 'recorded',
    version: '0.1.0',
    core: '*',
    doc: 'Recorded examples.',
    register: ({ register }) =>
      register('data', 'recorded', {
        doc: '',
        options: z.strictObject({ split: z.string().default('test') }),
        create: ({ split }) => ({ ...arraySource(new Map(Object.entries(splits[split] ?? {}))), classes }),
      }),
  }) as unknown as Plugin;
