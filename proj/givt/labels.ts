// The table of what stands for a class, and for tokens and labels that aren't shown.

import { catalogue } from '../../core/errors';
import { normal, zeros } from '../../core/layers/init';
import type { Scope } from '../../core/layers/scope';
import * as tf from '../../core/tensor';
import { embed } from '../../plugins/layers';
import type { GivtOptions } from './options';

const errors = catalogue('givt', {
  noLabels: (v: { num_labels: number | null }) => ({
    what: `The model has ${v.num_labels} labels, and the batch none.`,
    fix: 'let pp keep "labels" as int32 [batch], or set num_labels to 1.',
  }),
  noLabelFree: () => ({
    what: 'The model has no embedding for "no label".',
    fix: 'train it with drop_labels_probability above 0.',
  }),
});

/** Rows of the table after those of classes. */
type Special = 'mask' | 'nomask' | 'replace' | 'nolabel';

function specialRows(options: GivtOptions): ReadonlyMap<Special, number> {
  const { style, mask_style, num_labels, drop_labels_probability } = options;
  const ofMask: Special[] = mask_style === 'replace' ? ['mask'] : ['mask', 'nomask', 'replace'];
  const names: Special[] = [
    ...(style === 'masked' ? ofMask : []),
    ...(drop_labels_probability > 0 ? (['nolabel'] as const) : []),
  ];
  return new Map(names.map((name, i) => [name, (num_labels ?? 0) + i]));
}

export interface Labels {
  /** int32 [batch] */
  readonly labels?: tf.Tensor;
  /** Whose label isn't shown: bool [batch]. */
  readonly dropLabels?: tf.Tensor;
}

export interface LabelTable {
  /** What comes before the tokens: float [batch, 1, emb_dim]. */
  start(scope: Scope, batch: number, labels: Labels): tf.Tensor;
  /**
   * Tokens with those that are hidden taken out.
   * @param tokens float [batch, length, emb_dim]
   * @param hidden bool [batch, length]
   */
  hide(scope: Scope, tokens: tf.Tensor, hidden: tf.Tensor): tf.Tensor;
}

export function labelTable(options: GivtOptions): LabelTable {
  const { num_labels, emb_dim: features, mask_style, drop_labels_probability } = options;
  const special = specialRows(options);

  const rows = (scope: Scope, ids: tf.Tensor) =>
    embed(scope.child('EmbedLabels'), tf.cast(ids, 'int32'), {
      size: (num_labels ?? 1) + special.size,
      features,
      init: options.zero_embedding_init ? zeros : normal(1),
    });
  const row = (scope: Scope, name: Special) => rows(scope, tf.scalar(special.get(name) as number, 'int32'));

  const shownLabels = (batch: number, { labels, dropLabels }: Labels): tf.Tensor => {
    if (!labels && (num_labels ?? 1) !== 1) throw errors.noLabels({ num_labels });
    if (!labels) return tf.fill([batch], 0, 'int32');
    const always = drop_labels_probability >= 0.999;
    if (!always && !dropLabels) return labels;
    const none = special.get('nolabel');
    if (none === undefined) throw errors.noLabelFree();
    const dropped = tf.fill([batch], none, 'int32');
    return always || !dropLabels ? dropped : tf.where(dropLabels, dropped, tf.cast(labels, 'int32'));
  };

  return {
    start: (scope, batch, labels) => tf.expandDims(rows(scope, shownLabels(batch, labels)), 1),

    hide(scope, tokens, hidden) {
      const mask = tf.expandDims(hidden, 2);
      if (mask_style === 'replace') return tf.where(mask, row(scope, 'mask'), tokens);
      const marks = tf.where(mask, row(scope, 'mask'), row(scope, 'nomask'));
      const values = tf.where(mask, row(scope, 'replace'), tokens);
      return tf.concat([everyOther(marks), everyOther(values)], 2);
    },
  };
}

/** The even channels of [batch, length, width]. */
function everyOther(x: tf.Tensor): tf.Tensor {
  const [batch, length, width] = x.shape as [number, number, number];
  return tf.squeeze(
    tf.slice(tf.reshape(x, [batch, length, width / 2, 2]), [0, 0, 0, 0], [-1, -1, -1, 1]),
    [3],
  );
}
