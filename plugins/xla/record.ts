// What the backend knows of a tensor's data: values on the host, an array on the devices, or a value of a program that
// is being traced. tfjs names data by an object (DataId) that several tensors may share: the record itself.

import type { TypedArray } from '@tensorflow/tfjs-core';
import type { DeviceArray, Sharding } from './mesh';
import type { ElementType, Value } from './stablehlo';
import type { Trace } from './trace';

export type State =
  /** `uploaded`: the same values on the devices, once an eager kernel or a program needed them there. */
  | { readonly kind: 'host'; readonly values: TypedArray; uploaded?: DeviceArray }
  | { readonly kind: 'device'; readonly array: DeviceArray }
  /** Of devices that aren't here: programs can be compiled with it. */
  | { readonly kind: 'absent'; readonly sharding: Sharding }
  /** `made`: by which kernel or argument, for errors. */
  | { readonly kind: 'traced'; readonly trace: Trace; readonly value: Value; readonly made: string }
  /** Any use throws this. */
  | { readonly kind: 'gone'; readonly error: (shape: readonly number[]) => Error };

export class DataRecord {
  /** How many tensors share it, programs that captured it included. */
  refs = 1;
  /** The last call of a program that had it among its arguments, by number. */
  call = 0;

  constructor(
    /** The backend that keeps it: data doesn't outlive its runtime. */
    readonly owner: object,
    readonly type: ElementType,
    readonly shape: readonly number[],
    public state: State,
  ) {}
}
