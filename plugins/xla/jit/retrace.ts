// Why a function is traced again: what differs from the call before.

import { describeArrayType, type ArrayType } from '../mesh';

/** What told one program from another, in words. */
export interface Signature {
  readonly structure: readonly (string | undefined)[];
  readonly statics: readonly (string | undefined)[];
  readonly names: readonly string[];
  readonly types: readonly ArrayType[];
}

/** The first difference, and how many more there are. */
export function explainRetrace(before: Signature, now: Signature): string {
  const differences: string[] = [];
  now.statics.forEach((value, i) => {
    const old = before.statics[i];
    if (value !== old)
      differences.push(`static argument ${i} was ${old ?? 'not there'} and is ${value ?? 'not there'}`);
  });
  now.structure.forEach((key, i) => {
    if (key !== before.structure[i])
      differences.push(`argument ${i} has another structure (names or number of tensors)`);
  });
  if (differences.length === 0) {
    now.types.forEach((type, i) => {
      const old = before.types[i];
      if (old && old.id !== type.id) {
        differences.push(`${now.names[i]} was ${describeArrayType(old)} and is ${describeArrayType(type)}`);
      }
    });
  }
  const [first = 'it has other arguments', ...more] = differences;
  return more.length === 0 ? first : `${first}, and ${more.length} more`;
}
