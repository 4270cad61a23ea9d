// Devices in a grid with named axes, and how arrays are split over it: what configs, sharding rules and models say, and
// the mistakes in it. No runtime is needed for any of this.

import { type ArraySpec, bytesPerElement, sizeOf } from './array';
import { catalogue } from './errors';
import { didYouMean } from './suggest';

/** One dimension's mesh axes: an axis name, several (major to minor), or null for not sharded. */
export type PartitionSpec = readonly (string | readonly string[] | null)[];

export type MeshAxes = readonly (readonly [name: string, size: number])[];

/**
 * Which mesh axes split a dimension that models and sharding rules know by a logical name: `['act_batch', 'data']`. As in
 * Flax, of two rules for one name the first counts whose axes are free.
 */
export type LogicalRules = readonly (readonly [name: string, axes: string | readonly string[] | null])[];

/** Devices in a grid with named axes: `{data: 8}`, `{replica: 2, fsdp: 4}`. */
export interface Mesh {
  readonly axes: MeshAxes;
  /** The number of devices: the product of the axes. */
  readonly size: number;
  /** None at all: batches are split over every axis, and nothing else has a logical name. */
  readonly rules?: LogicalRules;
}

/** The logical name of the dimension of examples. */
const batchName = 'act_batch';

const grid = (axes: MeshAxes) => `{${axes.map(([name, size]) => `${name}: ${size}`).join(', ')}}`;

/** For people: `{data: 4, model: 2}`. */
export const describeMesh = ({ axes }: Mesh): string => grid(axes);

const errors = catalogue('mesh', {
  devices: (v: { axes: MeshAxes; devices: number; needed: number }) => ({
    what: `The mesh ${grid(v.axes)} takes ${v.needed} device${v.needed === 1 ? '' : 's'}, and there ${v.devices === 1 ? 'is 1' : `are ${v.devices}`}.`,
    fix: `make the product of its axes ${v.devices}, or one axis -1 for what remains; on a CPU, \`--devices ${v.needed}\` makes ${v.needed} virtual ones.`,
  }),
  remainder: (v: { axes: MeshAxes; devices: number; known: number; name: string }) => ({
    what: `The mesh ${grid(v.axes)} leaves ${v.devices}/${v.known} devices for "${v.name}": ${v.devices} is no multiple of ${v.known}.`,
    fix: `make the product of the other axes divide ${v.devices}; on a CPU, \`--devices ${Math.ceil(v.devices / v.known) * v.known}\` fits.`,
  }),
  axisSize: (v: { name: string; size: number }) => ({
    what: `The mesh axis "${v.name}" has the size ${v.size}.`,
    fix: 'give a number of devices, or -1 for all that remain.',
  }),
  twoRemainders: (v: { names: readonly string[] }) => ({
    what: `The mesh axes ${v.names.map((name) => `"${name}"`).join(' and ')} are both -1.`,
    fix: 'give all but one of them a number of devices.',
  }),
  sameName: (v: { name: string }) => ({
    what: `The mesh has two axes named "${v.name}".`,
    fix: 'give them different names.',
  }),
  unknownAxis: (v: { axis: string; where: string; axes: MeshAxes }) => ({
    what: `${v.where} names the mesh axis "${v.axis}", and the mesh is ${grid(v.axes)}.${didYouMean(
      v.axis,
      v.axes.map(([name]) => name),
    )}`,
    fix: `use one of its axes, or add the axis: mesh = [["${v.axis}", -1]].`,
  }),
  axisTwice: (v: { axis: string; where: string; spec: string }) => ({
    what: `${v.where} splits two dimensions over the mesh axis "${v.axis}": ${v.spec}.`,
    fix: 'split one dimension over it; what is split twice needs two axes.',
  }),
  indivisible: (v: {
    where: string;
    shape: readonly number[];
    dim: number;
    parts: number;
    axes: string;
  }) => ({
    what: `${v.where} of shape [${v.shape.join(', ')}] can't be split: dimension ${v.dim} has ${v.shape[v.dim]} elements, and ${v.axes} ${v.parts} devices.`,
    fix: `split another dimension, leave it out of this rule, or make ${v.shape[v.dim]} a multiple of ${v.parts}.`,
  }),
});

/** The axes that a run asks for, on so many devices: one may be -1; none at all is `data` over all devices. */
export function fitAxes(asked: MeshAxes = [], devices: number): MeshAxes {
  if (asked.length === 0) return [['data', devices]];
  const names = asked.map(([name]) => name);
  const same = names.find((name, i) => names.indexOf(name) !== i);
  if (same !== undefined) throw errors.sameName({ name: same });
  const wrong = asked.find(([, size]) => size !== -1 && !(Number.isInteger(size) && size > 0));
  if (wrong) throw errors.axisSize({ name: wrong[0], size: wrong[1] });
  const open = asked.filter(([, size]) => size === -1).map(([name]) => name);
  if (open.length > 1) throw errors.twoRemainders({ names: open });
  const known = asked.reduce((product, [, size]) => (size === -1 ? product : product * size), 1);
  if (open[0] === undefined) {
    if (known !== devices) throw errors.devices({ axes: asked, devices, needed: known });
  } else if (devices % known !== 0) {
    throw errors.remainder({ axes: asked, devices, known, name: open[0] });
  }
  return asked.map(([name, size]) => [name, size === -1 ? devices / known : size]);
}

/** One dimension's axes as a list. */
export function axesOf(entry: PartitionSpec[number] | undefined): readonly string[] {
  return entry === null || entry === undefined ? [] : typeof entry === 'string' ? [entry] : entry;
}

/** Into how many parts these axes split a dimension. */
export function partsOf(mesh: Mesh, axes: readonly string[]): number {
  const sizes = new Map(mesh.axes);
  return axes.reduce((product, axis) => product * (sizes.get(axis) ?? 1), 1);
}

/** @throws UserError for an axis that the mesh doesn't have. `where` says who names it. */
export function checkAxes(mesh: Mesh, axes: readonly string[], where: string): void {
  const axis = axes.find((axis) => !mesh.axes.some(([name]) => name === axis));
  if (axis !== undefined) throw errors.unknownAxis({ axis, where, axes: mesh.axes });
}

/** @throws UserError for unknown axes, an axis that splits two dimensions, and dimensions that don't divide. */
export function checkSpec(mesh: Mesh, spec: PartitionSpec, shape: readonly number[], where: string): void {
  const all = spec.flatMap(axesOf);
  checkAxes(mesh, all, where);
  const twice = all.find((axis, i) => all.indexOf(axis) !== i);
  if (twice !== undefined) throw errors.axisTwice({ axis: twice, where, spec: describeSharding(spec) });
  spec.forEach((entry, dim) => {
    const axes = axesOf(entry);
    const parts = partsOf(mesh, axes);
    if ((shape[dim] ?? 1) % parts !== 0)
      throw errors.indivisible({ where, shape, dim, parts, axes: `"${axes.join('" x "')}"` });
  });
}

/** @throws UserError for rules with axes that the mesh doesn't have. */
export function checkRules(mesh: Mesh): void {
  for (const [name, axes] of mesh.rules ?? []) checkAxes(mesh, axesOf(axes), `sharding_rules for "${name}"`);
}

/** The partition spec of dimensions by their logical names, those of mesh axes among them; others aren't split. */
export function logicalSpec(mesh: Mesh, names: PartitionSpec): PartitionSpec {
  const rules: LogicalRules = [
    ...(mesh.rules ?? []),
    ...(mesh.rules?.some(([name]) => name === batchName)
      ? []
      : [[batchName, mesh.axes.map(([name]) => name)] as const]),
  ];
  const used = new Set<string>();
  const spec = names.map((entry) => {
    const own = axesOf(entry).filter((axis) => mesh.axes.some(([name]) => name === axis));
    own.forEach((axis) => used.add(axis));
    return own.length === 0 ? undefined : typeof entry === 'string' ? entry : own;
  }) as PartitionSpec[number][];
  for (const [name, axes] of rules) {
    const dim = names.findIndex((entry, i) => entry === name && spec[i] === undefined);
    if (dim < 0 || axesOf(axes).some((axis) => used.has(axis))) continue;
    spec[dim] = axes;
    axesOf(axes).forEach((axis) => used.add(axis));
  }
  return spec.map((entry) => entry ?? null);
}

/** Splits the first axis over the devices as batches are. */
export function batchSharding(mesh: Mesh): PartitionSpec {
  return logicalSpec(mesh, [batchName]);
}

/** How many parts a batch has: its size is a multiple of that. */
export function batchParts(mesh: Mesh): number {
  return partsOf(mesh, batchSharding(mesh).flatMap(axesOf));
}

/** What one device holds of an array. */
export function bytesOnDevice(mesh: Mesh, { dtype, shape }: ArraySpec, sharding: PartitionSpec): number {
  return (sizeOf(shape) * bytesPerElement(dtype)) / partsOf(mesh, sharding.flatMap(axesOf));
}

/** For people: `replicated`, `(-, data)`, `(replica+fsdp, -)`. */
export function describeSharding(spec: PartitionSpec): string {
  if (spec.every((entry) => axesOf(entry).length === 0)) return 'replicated';
  return `(${spec.map((entry) => axesOf(entry).join('+') || '-').join(', ')})`;
}
