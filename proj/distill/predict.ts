// Predict functions of the student, of the teachers, and of pairs of them, under the names of the original's two trainers.

import type { Batch, ModelResult, PredictFn } from '../../core';
import * as tf from '../../core/tensor';

/** The batch as a model of this name sees it: what has the model's name is its image. */
export function viewOf<T>(
  batch: { readonly [name: string]: T },
  name: string,
): { readonly [name: string]: T } {
  const own = batch[name];
  return own === undefined ? batch : { ...batch, image: own };
}

type Forward = (batch: Batch) => ModelResult;

/** The mean of the teachers' probabilities, as logits. */
const ensemble =
  (teachers: readonly Forward[]): Forward =>
  (batch) => {
    const probabilities = teachers.map((teacher) => tf.softmax(teacher(batch).output as tf.Tensor));
    const logits = tf.log(tf.div(tf.addN(probabilities), teachers.length));
    return { output: logits, out: { logits } };
  };

/**
 * For `predict`: `student_fwd`, `NAME_fwd` of each teacher, `teacher_ensemble_fwd`, and the pairs `student_NAME_fwd` and
 * `student_teacher_ensemble_fwd`. For each other variant `predict_X` (FlexiViT's `predict_seqhw=8`): `student_X`, `NAME` and
 * `student_X_NAME`. A pair gives `[student, teacher]`.
 */
export function predictFns(
  fns: Readonly<Record<string, PredictFn>>,
  named: Readonly<Record<string, Forward>>,
): Record<string, PredictFn> {
  const teachers = Object.entries({ ...named, teacher_ensemble: ensemble(Object.values(named)) });
  const students = Object.entries(fns).flatMap(([name, fn]) => {
    const [, variant] = /^predict(_.*)?$/.exec(name) ? [name, name.slice('predict'.length)] : [];
    return variant === undefined ? [] : [{ variant, end: variant === '' ? '_fwd' : '', fn }];
  });
  return Object.fromEntries(
    students.flatMap(({ variant, end, fn }) => [
      [`student${variant}${end}`, fn],
      ...teachers.flatMap(([name, teacher]): [string, PredictFn][] => [
        [`${name}${end}`, (_, batch) => teacher(batch)],
        [
          `student${variant}_${name}${end}`,
          (params, batch) => {
            const [s, t] = [fn(params, batch), teacher(batch)];
            return { output: [s.output, t.output], out: [s.out, t.out] };
          },
        ],
      ]),
    ]),
  );
}
