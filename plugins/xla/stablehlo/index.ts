// StableHLO modules, built operation by operation and printed. `import * as hlo from './stablehlo'`:
//
//   const graph = new hlo.Graph();
//   const x = graph.arg('f32', [2, 3]);
//   const y = hlo.reduce('add', hlo.exp(x), [1]);
//   const text = hlo.printModule(graph, { name: 'example', results: [y] });

export * from './constants';
export * from './control';
export * from './elementwise';
export { Graph, type Region, type Value } from './graph';
export * from './indexing';
export * from './linear';
export { type Literal, splatOf } from './literal';
export { type ModuleOptions, printModule } from './module';
export * from './reduction';
export { type AxisNames, type MeshAxes } from './sharding';
export * from './shaping';
export * from './types';
