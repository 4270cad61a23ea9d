// The one door to tensors and ops: the part of tfjs-core that every runtime supports, and our own ops where
// tfjs has none. Models, losses, optimizers and evaluators write `import * as tf from '.../core/tensor'`.
// Left out on purpose: tfjs's random ops (they fill host buffers in a JavaScript loop, so a trace would bake
// the numbers in; use `random`), its optimizers, layers, images and its einsum (ours has a gradient).

export {
  type DataType,
  type NamedTensorMap,
  type Rank,
  type Scalar,
  Tensor,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
  type TensorLike,
  // Making tensors
  fill,
  linspace,
  ones,
  onesLike,
  range,
  scalar,
  tensor,
  zeros,
  zerosLike,
  // Arithmetic
  abs,
  add,
  addN,
  ceil,
  clipByValue,
  cos,
  div,
  divNoNan,
  erf,
  exp,
  expm1,
  floor,
  floorDiv,
  isFinite,
  isNaN,
  log,
  log1p,
  maximum,
  minimum,
  mod,
  mul,
  neg,
  pow,
  reciprocal,
  relu,
  round,
  rsqrt,
  sigmoid,
  sign,
  sin,
  softplus,
  sqrt,
  square,
  squaredDifference,
  sub,
  tan,
  tanh,
  // Comparison and logic
  equal,
  greater,
  greaterEqual,
  less,
  lessEqual,
  logicalAnd,
  logicalNot,
  logicalOr,
  notEqual,
  where,
  // Reduction
  all,
  any,
  argMax,
  argMin,
  cumsum,
  logSumExp,
  max,
  mean,
  min,
  moments,
  prod,
  softmax,
  sum,
  topk,
  // Linear algebra and convolution
  avgPool,
  conv2d,
  depthwiseConv2d,
  matMul,
  maxPool,
  outerProduct,
  // Shape
  batchToSpaceND,
  cast,
  clone,
  concat,
  expandDims,
  gather,
  gatherND,
  mirrorPad,
  pad,
  reshape,
  reverse,
  scatterND,
  slice,
  spaceToBatchND,
  split,
  squeeze,
  stack,
  stridedSlice,
  tensorScatterUpdate,
  tile,
  transpose,
  unsortedSegmentSum,
  unstack,
  // Gradients and memory
  customGrad,
  dispose,
  keep,
  tidy,
} from '@tensorflow/tfjs-core';

export { associativeScan } from './associative-scan';
export { broadcastTo } from './broadcast';
export { cond, scan, type ScanOptions, whileLoop } from './control';
export { grad, valueAndGrad, valueAndGrads } from './gradients';
export {
  castStorage,
  dropout,
  einsum,
  erfInv,
  eye,
  gelu,
  logSigmoid,
  logSoftmax,
  optimizationBarrier,
  shardingConstraint,
  stopGradient,
} from './ops';
export { oneHot } from './one-hot';
export type { StorageType } from './own-ops';
export * as random from './random';
export { remat } from './remat';
export { rematPolicies, type RematPolicy } from './remat-policies';

import { registerOwnGradients } from './register';
import { registerTfjsGradients } from './tfjs-gradients';

registerTfjsGradients();
registerOwnGradients();
