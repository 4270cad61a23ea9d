// Files in the layouts that were released, written by NumPy, become what the original's own code makes of them.

import { join } from 'node:path';
import { hostArray, type HostArray, sizeOf } from '../../../core/array';
import type { Model, ParamArrays } from '../../../core/extensions';
import { namedLeaves, nest, type Tree } from '../../../core/tree';
import { bit, bitOptions, bitPaper, bitPaperOptions } from '../../../plugins/bit';
import { mixer, mixerOptions } from '../../../plugins/mixer';
import { expectCase, goldenCases, goldenRoot, readCase } from '../../support/golden';

const models: Readonly<Record<string, (options: unknown) => Model>> = {
  'bit_paper:load': (options) => bitPaper(bitPaperOptions.parse(options)),
  'bit:load': (options) => bit(bitOptions.parse(options)),
  'mlp_mixer:load': (options) => mixer(mixerOptions.parse(options)),
};

interface LoadArgs {
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  readonly init_file: string;
  readonly options: object;
  readonly dont_load: readonly string[];
}

test.each(goldenCases(({ name }) => name in models).map(({ folder }) => folder))('%s', async (folder) => {
  const golden = await readCase(folder);
  const { shapes, init_file, options, dont_load } = golden.args as unknown as LoadArgs;
  const zeros = Object.entries(shapes).map(
    ([name, shape]) => [name, hostArray('float32', shape, new Float32Array(sizeOf(shape)))] as const,
  );
  const model = models[golden.name]!(options);
  const loaded = await model.load!(nest(zeros) as ParamArrays, join(goldenRoot, folder, init_file), {
    dont_load,
  });
  const got = namedLeaves<HostArray>(loaded as Tree<HostArray>);
  expectCase(new Map(got.map(([name, array]) => [`params/${name}`, array])), golden);
  expect(got).toHaveLength(golden.outputs.size);
});
