// Cases recorded from the original: reading, running and comparing them.

export type {
  CaseInfo,
  ParityCase,
  ParityOutputs,
  ParityRunner,
  ParityServices,
  RecordedCase,
  Tolerance,
} from './case';
export { compareEntry, type Difference, textOf } from './compare';
export { comparisonFor } from './kinds';
export { gradientsOfSum } from './kinds/loss';
export { caseParams, type ModelParity, modelRunner, type ScalarOf } from './kinds/model';
export { arraysBeside, arraysUnder, caseFolders, readCase, readCaseInfo } from './read';
export { arraySource, parityServices, runCase, type Verdict } from './run';
export { type KindSummary, summaryOf } from './summary';
export { fetchAll, registeredName, sendAll } from './tensors';
