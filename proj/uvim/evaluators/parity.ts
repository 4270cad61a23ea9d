// Runs recorded cases of UViM's evaluators: metrics of recorded predictions.

import { type HostArray, hostArray } from '../../../core/array';
import type { Batch, PredictFn } from '../../../core/extensions';
import type { ParityRunner } from '../../../core/parity/case';
import { fetchAll, sendAll } from '../../../core/parity/tensors';
import { type Category } from './categories';
import { nearestPixels } from './nearest';
import { qualities } from './panoptic';
import { predictedPanorama, truePanorama } from './panoramas';
import { type Tally, tally } from './pq';
import { psnr } from './psnr';

export const evaluatorRunners: Readonly<Record<string, ParityRunner>> = {
  'evaluator proj/uvim/psnr': async ({ args, inputs }, { runtime }) => {
    const f = ({ img0, img1 }: Batch) => ({
      output: psnr(img0!, img1!, (args.dynamic_range as number | undefined) ?? 2),
    });
    const sent = sendAll(runtime, Object.fromEntries(inputs)) as Batch;
    return fetchAll(runtime, runtime.jit(f, { name: 'parity psnr' })(sent));
  },

  'evaluator proj/uvim/nyu_depth:_resize_nearest': async ({ args }) => {
    const pairs = args.sizes as [number, number][];
    return new Map(
      pairs.map(([from, to]) => [`${from}_to_${to}`, hostArray('int32', [to], nearestPixels(from, to))]),
    );
  },

  // The model gives the recorded `depth`.
  'evaluator proj/uvim/nyu_depth': async ({ args, inputs }, { registry, container, serve }) => {
    const { batch_size, ...options } = args as { batch_size: number };
    const given = { ...options, data: serve(inputs) };
    const create = registry.create(container, 'evaluator', 'proj.uvim.nyu_depth', given, 'args');
    const predict: PredictFn = (_, { depth }) => ({ output: { depth }, out: {} });
    const evaluator = await create({ name: 'parity', predict, predictFns: { predict }, batch_size });
    const found = new Map<string, HostArray>();
    for await (const [name, value] of evaluator.run({}, 0))
      found.set(name, hostArray('float32', [], [value]));
    return found;
  },

  // Images have sizes of their own: inputs are `I/prediction`, `I/panoptic_image` and `I/panoptic_objects/...`.
  'evaluator proj/uvim/coco_panoptic': async ({ args, inputs }) => {
    const categories = args.categories as Category[];
    let counts: Tally = new Map();
    for (let i = 0; inputs.has(`${i}/prediction`); i++) {
      const at = (key: string) => inputs.get(`${i}/${key}`) as HostArray;
      const part = (key: string) => at(`panoptic_objects/${key}`);
      const objects = {
        id: part('id'),
        label: part('label'),
        is_crowd: part('is_crowd'),
        area: part('area'),
      };
      const example = { panoptic_image: at('panoptic_image'), panoptic_objects: objects };
      const truth = truePanorama(example, categories);
      counts = tally(counts, truth, predictedPanorama(at('prediction'), categories, truth.size));
    }
    return new Map([...qualities(counts, categories)].map(([name, value]) => [name, hostArray('float32', [], [value])])); // prettier-ignore
  },
};
