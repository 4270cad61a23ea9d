// The lowering of every kernel that tfjs has, by name. The type makes the table total: a kernel is lowered here, or it
// says why it isn't.

import { ownKernelName, type OwnKernelName, type OwnOp } from '../../../core/tensor/own-ops';
import { binaryOps } from './binary';
import { convolutions } from './convolution';
import { creationOps } from './creation';
import { images } from './image';
import { indexingOps } from './indexing';
import { matMulOps } from './matmul';
import { morphology } from './morphology';
import { einsum, ownLowerings } from './own';
import { pooling } from './pooling';
import { reductions } from './reduction';
import { shapingOps } from './shaping';
import {
  lower,
  lowerList,
  type KernelName,
  type Lowering,
  type LoweringTable,
  unlowered,
  type Unlowered,
} from './types';
import { unary } from './unary';
import { warps } from './warp';

const dynamicShape = unlowered(
  'the shape of its result depends on values, and compiled programs have fixed shapes',
);
const strings = unlowered('there are no string tensors');
const complexNumbers = unlowered('there are no complex numbers');
const ragged = unlowered('there are no ragged tensors');
const browser = unlowered('it needs a browser');
const composed = unlowered('tfjs makes its op of other kernels');

const tfjsKernels = {
  ...unary,
  ...binaryOps,
  ...reductions,
  ...shapingOps,
  ...creationOps,
  ...indexingOps,
  ...matMulOps,
  ...convolutions,
  ...pooling,
  ...images,
  ...morphology,
  ...warps,

  AddN: lowerList((inputs) =>
    inputs.reduce((sum, input) => binaryOps.Add({ a: sum, b: input }, {}, input.graph) as typeof sum),
  ),
  Einsum: lowerList<{ equation: string }>((inputs, { equation }) => {
    const [a, b] = inputs;
    if (!a || !b || inputs.length > 2)
      throw new Error('tf.einsum of other than two operands: use einsum of core/tensor');
    return einsum(equation, a, b);
  }),
  Identity: lower<'x'>(({ x }) => x),

  Complex: complexNumbers,
  ComplexAbs: complexNumbers,
  FFT: complexNumbers,
  IFFT: complexNumbers,
  Imag: complexNumbers,
  Real: complexNumbers,
  StaticRegexReplace: strings,
  StringNGrams: strings,
  StringSplit: strings,
  StringToHashBucketFast: strings,
  RaggedGather: ragged,
  RaggedRange: ragged,
  RaggedTensorToTensor: ragged,
  SparseFillEmptyRows: dynamicShape,
  SparseReshape: dynamicShape,
  Unique: dynamicShape,
  NonMaxSuppressionV3: dynamicShape,
  NonMaxSuppressionV4: dynamicShape,
  NonMaxSuppressionV5: dynamicShape,
  Draw: browser,
  FromPixels: browser,
  Multinomial: unlowered('its numbers would not be those of a key: use random.categorical of core/tensor'),
  // tfjs has these names, and makes the ops of other kernels.
  LowerBound: composed,
  MatrixBandPart: composed,
  Pool: composed,
  UpperBound: composed,
  SparseSegmentMean: dynamicShape,
  SparseSegmentSum: dynamicShape,
} satisfies LoweringTable & Record<KernelName, Lowering | Unlowered>;

const ownKernels = Object.fromEntries(
  Object.entries(ownLowerings).map(([op, lowering]) => [ownKernelName(op as OwnOp), lowering]),
) as unknown as Record<OwnKernelName, Lowering>;

export const lowerings: ReadonlyMap<string, Lowering | Unlowered> = new Map(
  Object.entries<Lowering | Unlowered>({ ...tfjsKernels, ...ownKernels }),
);
