// Runs recorded cases of Jet: the flow there and back, and its masks.

import type { Initializer, Params } from '../../core/extensions';
import { Scope } from '../../core/layers/scope';
import { parseOptions } from '../../core/options';
import type { ParityRunner } from '../../core/parity/case';
import { arraysBeside, caseParams, fetchAll, sendAll } from '../../core/parity';
import * as tf from '../../core/tensor';
import { type ChannelKind, channelMasks, gridOf, type SpatialKind, spatialMasks } from './masks';
import { jet, jetOptions } from './model';

type Parts = Readonly<Record<string, tf.Tensor>>;
type Size = readonly [height: number, width: number, channels: number];
interface MaskArgs {
  readonly depth: number;
  readonly image_shape: Size;
  readonly ps: number;
  readonly proj_kinds: readonly string[];
  readonly seed?: number;
}

/** @param of the masks of these arguments: how they start, and how many things they permute */
const maskRunner =
  (of: (args: MaskArgs) => readonly [Initializer, number]): ParityRunner =>
  async ({ args }, { runtime }) => {
    const known = args as unknown as MaskArgs;
    const { depth, proj_kinds: given } = known;
    const proj_kinds = Array.from({ length: depth }, (_, i) => given[i] ?? 'zero');
    const [init, count] = of({ ...known, proj_kinds });
    const key = runtime.toDevice(tf.random.keyArray(tf.random.key(known.seed ?? 0)));
    const shape = [depth, count, count];
    const make = (key: tf.Tensor) => ({ output: init(key, shape) });
    return fetchAll(runtime, runtime.jit(make, { name: 'parity masks' })(key));
  };

export const jetRunners: Readonly<Record<string, ParityRunner>> = {
  'model proj/jet/jet': async (recorded, services) => {
    const { runtime } = services;
    const { forward, inverse } = jet(parseOptions(jetOptions, recorded.args, 'args'));
    const inputs = sendAll(runtime, Object.fromEntries(arraysBeside(recorded.inputs, 'params'))) as Parts;
    const run = (params: Params, { image, x = image, context }: Parts) => {
      const scope = Scope.reading(params);
      const there = forward(scope, x as tf.Tensor, context);
      const back = inverse(scope, there.x, context);
      return {
        forward: there.x,
        logdet: there.logdet,
        inverse: back.x,
        logdet_inverse: back.logdet,
      };
    };
    return fetchAll(
      runtime,
      runtime.jit(run, { name: 'parity jet' })(caseParams(recorded, services), inputs),
    );
  },

  'init proj/jet/jet:get_channels_coupling_init': maskRunner(({ image_shape, ps, proj_kinds }) => [
    channelMasks(proj_kinds as ChannelKind[]),
    image_shape[2] * ps * ps,
  ]),

  'init proj/jet/jet:get_spatial_coupling_init': maskRunner(
    ({ image_shape: [height, width], ps, proj_kinds }) => {
      const grid = gridOf([height, width], ps);
      return [spatialMasks(proj_kinds as SpatialKind[], grid), grid.rows * grid.columns];
    },
  ),
};
