// Shardy's view of shardings: a named mesh, and for each dimension the mesh axes that split it.

/** For each dimension the mesh axes that split it, major to minor; missing dimensions aren't split. */
export type AxisNames = readonly (readonly string[])[];

/** For each dimension what a program calls it: names of mesh axes, or logical ones; null for none. */
export type DimensionNames = readonly (string | readonly string[] | null)[];

export type MeshAxes = readonly (readonly [name: string, size: number])[];

const quoted = (name: string) => JSON.stringify(name);

/** `sdy.mesh @mesh = <["data"=4]>`. */
export const printMesh = (axes: MeshAxes): string =>
  `sdy.mesh @mesh = <[${axes.map(([name, size]) => `${quoted(name)}=${size}`).join(', ')}]>`;

/** `@mesh, [{"data"}, {}]`. */
export function printSharding(axes: AxisNames, rank: number): string {
  const dims = Array.from({ length: rank }, (_, i) => `{${(axes[i] ?? []).map(quoted).join(', ')}}`);
  return `@mesh, [${dims.join(', ')}]`;
}

/** As an attribute of an argument or result. */
export const shardingAttribute = (axes: AxisNames, rank: number): string =>
  `sdy.sharding = #sdy.sharding<${printSharding(axes, rank)}>`;
