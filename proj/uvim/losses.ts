// The tasks: how labels become inputs of the code's encoder, the loss of a prediction, and what it means.

import { z } from 'zod';
import * as tf from '../../core/tensor';
import type { Tree } from '../../core/tree';
import { fromPatchGrid, patchGrid, takeEach, toPatchGrid } from '../../plugins/layers';
import { softmaxXent } from '../../plugins/losses';
import { depthFields, depthOfBin } from './depth';
import type { UvimVitOptions } from './options';

/** What a task takes from the options of the model of stage I. */
export type Layout = Pick<UvimVitOptions, 'inputs' | 'input_size' | 'patch_size'>;
type Parts = Readonly<Record<string, tf.Tensor>>;

/** All traced. Parts are float [batch, patches, classes or channels, pixels of a patch]. */
export interface Task {
  /** @param labels of the batch, [batch, height, width, channels] */
  inputs(labels: tf.Tensor): Parts;
  /** By name, for each example and whatever axes it has: the loss is their sum. */
  losses(logits: Parts, inputs: Parts): Parts;
  /** What evaluators get. The options are those of `predictFields`. */
  predict(logits: Parts, options?: PredictOptions): Tree<tf.Tensor>;
}

interface PredictOptions {
  readonly min_fraction?: number;
}

/** A task and its options. */
export const taskFields = {
  task: z.enum(['depth', 'panoptic', 'colorization']).describe('what the labels are'),
  ...depthFields,
};
export type TaskOptions = z.output<z.ZodObject<typeof taskFields>>;

/** What an evaluator's `pred_kw` may give the predictions of a task. */
export const predictFields = {
  depth: {},
  panoptic: {
    min_fraction: z
      .number()
      .min(0)
      .max(1)
      .default(0)
      .describe('objects that cover no more of the image are left out'),
  },
  colorization: {},
} satisfies Record<TaskOptions['task'], z.ZodRawShape>;

export function makeTask(options: TaskOptions, layout: Layout): Task {
  return tasks[options.task](layout, options);
}

type MakeTask = (layout: Layout, options: TaskOptions) => Task;

/** Depth in bins of equal size. The first bin isn't trained: it is what pixels without a measurement have. */
const depthTask: MakeTask = (layout, { min_depth, max_depth }) => {
  const bins = classesOf(layout, 'depth');
  const range = max_depth - min_depth;
  return {
    inputs(labels) {
      const depth = tf.slice(labels, [0, 0, 0, 0], [-1, -1, -1, 1]);
      const bin = tf.floor(tf.mul(tf.div(tf.sub(depth, min_depth), range), bins));
      return { depth: oneHotPatches(tf.cast(tf.clipByValue(bin, 0, bins - 1), 'int32'), bins, layout) };
    },
    losses({ depth: logits }, { depth: labels }) {
      const first = tf.squeeze(tf.slice(labels as tf.Tensor, [0, 0, 0, 0], [-1, -1, 1, -1]), [2]);
      return { loss_depth: tf.mul(xent(logits, labels), tf.sub(1, first)) };
    },
    predict({ depth: logits }) {
      const depth = depthOfBin(tf.argMax(logits as tf.Tensor, 2), bins, { min_depth, max_depth });
      return { depth: tf.squeeze(fromPatches(tf.expandDims(depth, 2), layout), [3]) };
    },
  };
};

/** Labels [..., 0] are classes of pixels, [..., 1] numbers of objects; what is out of range has no loss. */
const panopticTask: MakeTask = (layout) => {
  const names = ['semantics', 'instances'] as const;
  return {
    inputs: (labels) =>
      Object.fromEntries(
        tf.split(labels, 2, 3).map((part, i) => {
          const name = names[i] as (typeof names)[number];
          return [name, oneHotPatches(tf.cast(part, 'int32'), classesOf(layout, name), layout)];
        }),
      ),
    losses: (logits, labels) =>
      Object.fromEntries(names.map((name) => [`loss_${name}`, xent(logits[name], labels[name])])),
    predict: ({ semantics, instances }, { min_fraction = 0 } = {}) =>
      panorama(
        fromPatches(semantics as tf.Tensor, layout),
        fromPatches(instances as tf.Tensor, layout),
        min_fraction,
      ),
  };
};

/**
 * Every pixel of an object gets the class that has the most of its logits. Objects that cover no more than
 * `minFraction` of the image are left out.
 * @param semantics float [batch, height, width, classes]
 * @param instances float [batch, height, width, objects]
 * @returns int32 [batch, height, width, 2]: class and object, both 0 where there is none
 */
export function panorama(semantics: tf.Tensor, instances: tf.Tensor, minFraction: number): tf.Tensor {
  const [batch, height, width, objects] = instances.shape as [number, number, number, number];
  const object = tf.cast(tf.argMax(instances, -1), 'int32');
  const masks = tf.oneHot(object, objects, 1, 0, 'float32');
  const classes = tf.cast(tf.argMax(tf.einsum('bhwk,bhwn->bnk', semantics, masks), -1), 'int32');
  const large = tf.greater(tf.div(tf.sum(masks, [1, 2]), height * width), minFraction);
  const pixels = tf.reshape(object, [batch, height * width]);
  const ofObject = (values: tf.Tensor) => tf.reshape(takeEach(values, pixels), [batch, height, width]);
  return tf.mul(
    tf.stack([ofObject(classes), object], 3),
    tf.expandDims(ofObject(tf.cast(large, 'int32')), 3),
  );
}

/** Labels are the colours themselves, in [-1, 1]. */
const colorizationTask: MakeTask = (layout) => ({
  inputs: (labels) => ({ color: toPatches(labels, layout) }),
  losses: ({ color }, { color: labels }) => ({
    loss_color: tf.squaredDifference(color as tf.Tensor, labels as tf.Tensor),
  }),
  predict: ({ color }) => ({ color: tf.clipByValue(fromPatches(color as tf.Tensor, layout), -1, 1) }),
});

const tasks: Readonly<Record<TaskOptions['task'], MakeTask>> = {
  depth: depthTask,
  panoptic: panopticTask,
  colorization: colorizationTask,
};

const classesOf = ({ inputs }: Layout, name: string): number => inputs[name]?.at(-2) ?? 0;

/** @returns float [batch, patches, pixels] */
const xent = (logits?: tf.Tensor, labels?: tf.Tensor) =>
  softmaxXent({ kl: false, axis: -2 })(
    { logits: logits as tf.Tensor, labels: labels as tf.Tensor },
    { reduction: false },
  );

/** [batch, height, width, channels] -> [batch, patches, channels, pixels] */
function toPatches(x: tf.Tensor, { patch_size }: Layout): tf.Tensor {
  const [batch, , , channels] = x.shape as [number, number, number, number];
  return tf.reshape(toPatchGrid(x, patch_size), [batch, -1, channels, patch_size[0] * patch_size[1]]);
}

/** [batch, patches, channels, pixels] -> [batch, height, width, channels] */
function fromPatches(x: tf.Tensor, { input_size, patch_size: [h, w] }: Layout): tf.Tensor {
  return fromPatchGrid(x, patchGrid(input_size, [h, w]), [h, w]);
}

/** @param classes int32 [batch, height, width, 1] */
function oneHotPatches(classes: tf.Tensor, count: number, layout: Layout): tf.Tensor {
  const patches = tf.squeeze(toPatches(classes, layout), [2]);
  return tf.transpose(tf.oneHot(patches, count, 1, 0, 'float32'), [0, 1, 3, 2]);
}
