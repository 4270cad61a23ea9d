// A whole module: one public function, and the mesh that its shardings speak of.

import type { Graph, Value } from './graph';
import { type AxisNames, type MeshAxes, printMesh, shardingAttribute } from './sharding';

export interface ModuleOptions {
  /** Letters, digits and underscores. */
  readonly name: string;
  readonly results: readonly Value[];
  /** For each argument, the index of the result that takes its memory. */
  readonly aliases?: readonly (number | undefined)[];
  /** Devices that the program is partitioned over. */
  readonly mesh?: MeshAxes;
  /** Shardings of the arguments and results over the mesh. */
  readonly argShardings?: readonly AxisNames[];
  readonly resultShardings?: readonly AxisNames[];
}

export function printModule(graph: Graph, options: ModuleOptions): string {
  const { name, results, aliases = [], mesh, argShardings, resultShardings } = options;
  const partitions = mesh ? mesh.reduce((product, [, size]) => product * size, 1) : 1;
  const args = graph.args.map((arg, i) => {
    const attributes = [];
    if (mesh && argShardings) attributes.push(shardingAttribute(argShardings[i] ?? [], arg.shape.length));
    if (aliases[i] !== undefined) attributes.push(`tf.aliasing_output = ${aliases[i]} : i32`);
    return `${arg.name}: ${arg.typeText}${braces(attributes)}`;
  });
  const outs = results.map((result, i) => {
    const sharded = mesh && resultShardings;
    const attributes = sharded ? [shardingAttribute(resultShardings[i] ?? [], result.shape.length)] : [];
    return `${result.typeText}${braces(attributes)}`;
  });
  return (
    `module @${name} attributes {mhlo.num_partitions = ${partitions} : i32, mhlo.num_replicas = 1 : i32} {\n` +
    (mesh ? `${printMesh(mesh)}\n` : '') +
    `func.func public @main(${args.join(', ')}) -> (${outs.join(', ')}) {\n${graph.body(results)}}\n}\n`
  );
}

const braces = (attributes: readonly string[]) =>
  attributes.length > 0 ? ` {${attributes.join(', ')}}` : '';
