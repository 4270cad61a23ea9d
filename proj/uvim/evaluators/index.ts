// Evaluators of dense tasks: those that UViM's configs name.

import { z } from 'zod';
import { catalogue } from '../../../core/errors';
import { registerParity } from '../../../core/parity/register';
import type { Registrar } from '../../../core/plugin';
import { tokens } from '../../../core/train/run';
import { meanOfExamples, namedOutput, onlyOutput, passOptions, passSchema, save } from '../../../plugins/evaluators'; // prettier-ignore
import { depth, depthSchema } from './depth';
import { panoptic, panopticSchema } from './panoptic';
import { evaluatorRunners } from './parity';
import { psnr } from './psnr';

const errors = catalogue('uvim', {
  noFid: (v: { name: string }) => ({
    what: `evals.${v.name} is proj.uvim.coltran_fid, which needs the weights of an Inception network that come with TensorFlow GAN, and is not implemented here.`,
    fix: `take evals.${v.name} out of the config; proj.uvim.save_predictions writes pictures for a tool that computes FID.`,
  }),
});

export function registerEvaluators({ register, container }: Registrar): void {
  registerParity(register, evaluatorRunners);
  registerDenseEvaluators({ register, container }, 'proj.uvim');
  const inject = [tokens.runtime, tokens.input] as const;

  register('evaluator', 'proj.uvim.compute_mean', {
    doc: 'Means of what the predict function gives by name, one value for each example. The same as mean.',
    options: passSchema,
    inject,
    create: (options, runtime, pipeline) => (context) =>
      meanOfExamples(options, context, { runtime, pipeline }, (params, batch) =>
        namedOutput(context.name, context.predict(params, batch)),
      ),
  });
  register('evaluator', 'proj.uvim.psnr', {
    doc: 'Peak signal-to-noise ratio ("PSNR", in dB) of predicted images in [-1, 1] and the batch\'s labels.',
    options: z.strictObject({
      ...passOptions,
      label_key: z.string().default('labels').describe('key of the true images'),
    }),
    inject,
    create:
      ({ label_key, ...options }, runtime, pipeline) =>
      (context) =>
        meanOfExamples(options, context, { runtime, pipeline }, (params, batch) => {
          const predicted = onlyOutput(context.name, context.predict(params, batch));
          return { PSNR: psnr(predicted, batch[label_key]!, 2) };
        }),
  });
  register('evaluator', 'proj.uvim.coltran_fid', {
    doc: 'Not implemented: FID of colourised ImageNet needs an Inception network of TensorFlow GAN. Its config is checked.',
    options: z.strictObject({
      device_batch_size: z.int().min(1).default(5).describe('images for each device'),
      coltran_seed: z.int().min(0).default(1).describe('which 5,000 images are the reference'),
      split: z.string().optional().describe('left from the original, which has no use for it'),
    }),
    create: () => (context) => {
      throw errors.noFid({ name: context.name });
    },
  });
}

/** Evaluators that projects have under names of their own: PREFIX.nyu_depth, .coco_panoptic and .save_predictions. */
export function registerDenseEvaluators({ register, container }: Registrar, prefix: string): void {
  const inject = [tokens.runtime, tokens.input] as const;
  register('evaluator', `${prefix}.nyu_depth`, {
    doc: 'Depth in metres against "ground_truth" of the batch, to whose size it is resized: RMSE, abs_RE, log10, delta1 to delta3, means over images.',
    options: depthSchema,
    inject,
    create: (options, runtime, pipeline) => (context) => depth(options, context, { runtime, pipeline }),
  });
  register('evaluator', `${prefix}.coco_panoptic`, {
    doc: 'Panoptic quality (arXiv:1801.00868) as COCO counts it, against panoptic_image and panoptic_objects of the data: pq, rq and sq of All, Stuff and Things, from 0 to 1.',
    options: panopticSchema,
    inject: [tokens.runtime, tokens.input, tokens.registry, tokens.root],
    create: (options, runtime, pipeline, registry, root) => (context) =>
      panoptic(options, context, {
        runtime,
        pipeline,
        root,
        open: ({ name, ...rest }, where) => registry.create(container, 'data', name, rest, where),
      }),
  });
  register('evaluator', `${prefix}.save_predictions`, {
    doc: 'Writes inputs/NAME and outputs/NAME of a pass into a file of the workdir.',
    options: z.strictObject({
      ...passOptions,
      outfile: z.string().describe('an npz file, relative to the workdir'),
    }),
    inject,
    create:
      ({ outfile, ...options }, runtime, pipeline) =>
      (context) =>
        save({ ...options, outfile: `{workdir}/${outfile}` }, context, { runtime, pipeline }),
  });
}
