// What plugins and configs import: `import { definePlugin } from 'big-vision-ts/core'`. Tensors and ops are in
// 'big-vision-ts/core/tensor'.

export {
  allocate,
  type ArraySpec,
  bytesOf,
  bytesPerElement,
  describeSpec,
  type DType,
  fromBytes,
  HostArray,
  hostArray,
  sizeOf,
  type TypedArrayOf,
} from './array';
export { parseCalls, parseCallString } from './call-string';
export { loadAsIs, loadParams, mergeParams } from './checkpoint/load-params';
export { type Args, type ArgSpec, parseArg } from './config/args';
export { type ConfigModule, defineConfig } from './config/define';
export { type Config, type ConfigInput, type DataConfig, duration, type InputConfig } from './config/schema';
export { Container, type Injected, type Token, token } from './container';
export { catalogue, ExitCode, UserError } from './errors';
export {
  type Batch,
  type CallOptions,
  type DataSource,
  type Evaluator,
  type EvaluatorContext,
  type Example,
  type ExampleRng,
  type ExtensionPoint,
  type ExtensionPoints,
  type Feature,
  type GradientTransform,
  type Implementation,
  type Initializer,
  type Loss,
  type Model,
  type ModelResult,
  type ParamArrays,
  type Params,
  type PpOp,
  type PredictFn,
  Registry,
  type RunLength,
  type Schedule,
  type ShardingRule,
  type Tokenizer,
} from './extensions';
export {
  type BatchFn,
  type GradientFn,
  type GradientResult,
  hookTable,
  type LossFn,
  type LossResult,
  Stage,
  type StepContext,
  type StepFn,
  type StepOptions,
  type TrainerHooks,
  type TrainState,
  type UpdateFn,
} from './hooks';
export * as initializers from './layers/init';
export { Scope } from './layers/scope';
export { parseOptions } from './options';
export { definePlugin, type Plugin, type PluginManifest, type Registrar } from './plugin';
export { type Progress, silentProgress } from './progress';
export {
  batchParts,
  type Compiled,
  type DeviceMemory,
  type Installer,
  type Jitted,
  type JitOptions,
  type Mesh,
  type PartitionSpec,
  type Runtime,
  type RuntimeOptions,
  TensorSpec,
} from './runtime';
export { didYouMean, nearest } from './suggest';
export {
  type BatchStream,
  type HostBatch,
  type InputPipeline,
  type OpenedInput,
  type Run,
  tokens,
  type UpdateRule,
  type UpdateRuleFactory,
} from './train/run';
export { globalNorm, valueAndGrad } from './train/gradients';
export { predictWith } from './train/predict';
export { itstime, stepsOf } from './train/steps';
export { forward, type ForwardOptions } from './train/variables';
export { across, dot, norm, plus } from './train/vectors';
export {
  firstMatches,
  flatten,
  fullMatch,
  isDict,
  leaves,
  mapNamed,
  mapTree,
  namedLeaves,
  nest,
  type NestedRecord,
  subtree,
  type Tree,
  unflatten,
  zipNamed,
} from './tree';
export { defineWorkspace } from './workspace/workspace';
/** Schemas of options: a plugin's must come from the same zod as ours. */
export { z } from 'zod';
