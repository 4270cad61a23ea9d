import { catalogue } from '../../core/errors';

const shape = (dims: readonly number[]) => `[${dims.join(', ')}]`;

export const errors = catalogue('loss', {
  noLabels: (v: { loss: string }) => ({
    what: `${v.loss} finds no "labels" in the batch.`,
    fix: 'keep "labels" in pp; onehot(NUM_CLASSES, key="label", key_result="labels") makes them of a number "label".',
  }),
  shapes: (v: { loss: string; logits: readonly number[]; labels: readonly number[] }) => ({
    what: `${v.loss} got logits of shape ${shape(v.logits)} and labels of shape ${shape(v.labels)}, which must be equal or broadcast.`,
    fix:
      v.labels.length < v.logits.length
        ? `make the labels one-hot, with onehot(${v.logits.at(-1)}, key="label", key_result="labels") in pp.`
        : `make num_classes agree with the number of classes in the labels.`,
  }),
  embeddings: (v: { zimg: readonly number[]; ztxt: readonly number[] }) => ({
    what: `A contrastive loss takes embeddings [batch, width] of images and texts, got ${shape(v.zimg)} and ${shape(v.ztxt)}.`,
    fix: 'give both towers of the model the same output width (out_dim).',
  }),
  parts: (v: { batch: number; parts: number }) => ({
    what: `The sigmoid loss can't split a batch of ${v.batch} into ${v.parts} equal parts.`,
    fix: `make input.batch_size a multiple of ${v.parts}.`,
  }),
  axis: (v: { axis: number; shape: readonly number[]; from: number }) => ({
    what: `softmax_xent has axis ${v.axis}, but its logits have shape ${shape(v.shape)}${v.from === 0 ? ' and its labels another rank: such an axis counts from the last' : ''}.`,
    fix: `loss_options.axis=-1, the last axis.`,
  }),
  tokens: (v: { logits: readonly number[]; labels: readonly number[] }) => ({
    what: `weighted_softmax_xent takes logits [batch, length, ..., vocabulary] and labels [batch, length, ...], got ${shape(v.logits)} and ${shape(v.labels)}.`,
    fix: 'softmax_xent for one label an example, or labels that are indices of tokens.',
  }),
});
