// How the bytes of a train state divide: over devices, and over the parts of a model.

import { bytesOnDevice, type Mesh } from '../mesh';
import type { TensorSpec } from '../runtime';

export interface GroupMemory {
  /** A top-level name of the parameters, or `other`. */
  readonly group: string;
  /** Bytes on one device: of the parameters, and of what the optimizer and hooks keep for them. */
  readonly params: number;
  readonly optimizer: number;
}

/** Of the leaves of a train state, by the top-level names of its parameters; largest first. */
export function memoryByGroup(
  state: readonly (readonly [name: string, spec: TensorSpec])[],
  mesh: Mesh,
): readonly GroupMemory[] {
  const groupsOfParams = state
    .filter(([name]) => name.startsWith('params/'))
    .map(([name]) => name.split('/')[1]!);
  const known = new Set(groupsOfParams);
  const groups = new Map<string, { params: number; optimizer: number }>();
  for (const [name, spec] of state) {
    const [part, ...path] = name.split('/');
    // State of the optimizer is named like parameters, below names of its own.
    const group = path.find((key) => known.has(key)) ?? 'other';
    const sums = groups.get(group) ?? { params: 0, optimizer: 0 };
    sums[part === 'params' ? 'params' : 'optimizer'] += bytesOnDevice(mesh, spec, spec.sharding);
    groups.set(group, sums);
  }
  const rows = [...groups].map(([group, sums]) => ({ group, ...sums }));
  return rows.sort((a, b) => b.params + b.optimizer - a.params - a.optimizer);
}
