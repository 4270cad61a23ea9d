export type { Literal } from './literal';
export { type Argument, type Call, parseCalls, type Span } from './parse';
export { type BoundCall, createCalls, createPipeline, parseCallString, signatureOf } from './bind';
