// A grid of devices with named axes, and how partition specs split arrays over it.

import {
  axesOf,
  checkRules,
  fitAxes,
  logicalSpec,
  type LogicalRules,
  type Mesh,
  type MeshAxes,
  type PartitionSpec,
} from '../../../core/mesh';
import { errors } from '../errors';
import type { AxisNames } from '../stablehlo';

/** A partition spec over one mesh, interned: equal ones are one object. */
export interface Sharding {
  /** For each dimension its mesh axes, without trailing unsplit dimensions. */
  readonly axes: AxisNames;
  readonly key: string;
  readonly isReplicated: boolean;
}

export class DeviceMesh implements Mesh {
  readonly size: number;
  /** Every device has all of the array. */
  readonly replicated: Sharding;
  private readonly sizes: ReadonlyMap<string, number>;
  private readonly interned = new Map<string, Sharding>();
  /** For each device, its coordinate along each axis. */
  private readonly coordinates: readonly ReadonlyMap<string, number>[];

  constructor(
    readonly axes: MeshAxes,
    readonly rules?: LogicalRules,
  ) {
    this.sizes = new Map(axes);
    this.size = axes.reduce((product, [, size]) => product * size, 1);
    this.replicated = this.intern([]);
    this.coordinates = Array.from({ length: this.size }, (_, device) => {
      const found = new Map<string, number>();
      let rest = device;
      for (const [name, size] of [...axes].reverse()) {
        found.set(name, rest % size);
        rest = Math.floor(rest / size);
      }
      return found;
    });
    checkRules(this);
  }

  /** The mesh that a run asks for: one axis may be -1; none at all is `data` over all devices. */
  static fit(axes: MeshAxes | undefined, devices: number, rules?: LogicalRules): DeviceMesh {
    return new DeviceMesh(fitAxes(axes, devices), rules);
  }

  /** Checks a spec against the mesh. */
  sharding(spec: PartitionSpec = []): Sharding {
    const axes = spec.map((entry) => [...axesOf(entry)]);
    const seen = new Set<string>();
    for (const axis of axes.flat()) {
      if (!this.sizes.has(axis)) throw errors.unknownAxis({ axis, known: [...this.sizes.keys()] });
      if (seen.has(axis)) throw errors.axisTwice({ axis, spec: JSON.stringify(spec) });
      seen.add(axis);
    }
    while (axes.length > 0 && axes[axes.length - 1]!.length === 0) axes.pop();
    return this.intern(axes);
  }

  /** The axes of dimensions by their logical names; undefined on one device, which splits nothing. */
  get constraintAxes(): ((names: PartitionSpec) => AxisNames) | undefined {
    return this.size === 1 ? undefined : (names) => this.sharding(logicalSpec(this, names)).axes;
  }

  private intern(axes: AxisNames): Sharding {
    const key = axes.map((names) => names.join('+')).join(',');
    let sharding = this.interned.get(key);
    if (!sharding) this.interned.set(key, (sharding = { axes, key, isReplicated: axes.length === 0 }));
    return sharding;
  }

  /** The spec of a sharding, one entry for each dimension up to the last that is split. */
  specOf(sharding: Sharding): PartitionSpec {
    return sharding.axes.map((names) => (names.length === 0 ? null : names.length === 1 ? names[0]! : names));
  }

  /** Into how many parts each dimension is split. @throws UserError where a dimension doesn't divide. */
  parts(shape: readonly number[], sharding: Sharding, what?: string): readonly number[] {
    if (sharding.axes.length > shape.length) {
      throw errors.specTooLong({ spec: JSON.stringify(this.specOf(sharding)), shape });
    }
    return shape.map((size, dim) => {
      const axes = sharding.axes[dim] ?? [];
      const parts = axes.reduce((product, axis) => product * this.sizes.get(axis)!, 1);
      if (size % parts !== 0) throw errors.notDivisible({ shape, dim, parts, axes, what });
      return parts;
    });
  }

  /** Which part of each dimension a device holds. */
  partOf(device: number, shape: readonly number[], sharding: Sharding): readonly number[] {
    return shape.map((_, dim) =>
      (sharding.axes[dim] ?? []).reduce(
        (part, axis) => part * this.sizes.get(axis)! + this.coordinates[device]!.get(axis)!,
        0,
      ),
    );
  }
}
