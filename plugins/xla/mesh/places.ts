// Which parts of arrays the devices of one process hold, by their places in the mesh.

import type { Extent, Rows } from '../../../core/blocks';
import type { DeviceMesh, Sharding } from './device-mesh';

/** What a device holds of an array. */
export interface Held extends Extent {
  /** The device's, in the mesh. */
  readonly place: number;
}

export function heldAt(
  mesh: DeviceMesh,
  places: readonly number[],
  shape: readonly number[],
  sharding: Sharding,
): Held[] {
  const parts = mesh.parts(shape, sharding);
  const block = shape.map((size, dim) => size / parts[dim]!);
  return places.map((place) => {
    const start = mesh.partOf(place, shape, sharding).map((part, dim) => part * block[dim]!);
    return { place, start, block };
  });
}

/** One device for each different part: replicas count once, and the first has it. */
export function distinct(held: readonly Held[]): Held[] {
  const first = new Map<string, Held>();
  for (const one of held) if (!first.has(one.start.join())) first.set(one.start.join(), one);
  return [...first.values()];
}

/** From the first row that one of the devices holds to the last: some between may be of other devices alone. */
export function rowsAt(mesh: DeviceMesh, places: readonly number[], rows: number, sharding: Sharding): Rows {
  const held = heldAt(mesh, places, [rows], sharding);
  const starts = held.map(({ start }) => start[0]!);
  return { start: Math.min(...starts), end: Math.max(...starts) + (held[0]?.block[0] ?? rows) };
}
