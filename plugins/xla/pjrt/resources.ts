// Ownership of native objects. Each is freed once: by dispose(), or when its JavaScript object is collected,
// or at the latest before the client that it belongs to.

/** One native object that must be freed. */
export interface Resource {
  /** @throws Error once it is freed: a use after dispose() is a bug, and would crash the process. */
  readonly pointer: bigint;
  readonly isReleased: boolean;
  /** Frees it; more calls do nothing. */
  release(): void;
}

type Destroy = (pointer: bigint) => void;

/** Native objects that were made together: one entry in the books for a program's 500 outputs. */
class Group {
  readonly members: Owned[];
  alive: number;

  constructor(
    private readonly groups: Set<Group>,
    readonly what: string,
    pointers: readonly bigint[],
    readonly destroy: Destroy,
  ) {
    this.members = pointers.map((pointer) => new Owned(this, pointer));
    this.alive = pointers.length;
    if (this.alive > 0) groups.add(this);
  }

  gone(): void {
    if (--this.alive === 0) this.groups.delete(this);
  }

  release(): void {
    for (const member of this.members) member.release();
  }
}

class Owned implements Resource {
  private current: bigint | undefined;

  constructor(
    private readonly group: Group,
    pointer: bigint,
  ) {
    this.current = pointer;
  }

  get pointer(): bigint {
    if (this.current === undefined) throw new Error(`This ${this.group.what} is disposed`);
    return this.current;
  }

  get isReleased(): boolean {
    return this.current === undefined;
  }

  release(): void {
    const pointer = this.current;
    if (pointer === undefined) return;
    this.current = undefined;
    this.group.gone();
    this.group.destroy(pointer);
  }
}

/** Native objects that nobody asks for one by one: a train step's state, without an object for each array. */
export class OwnedList {
  private current: BigUint64Array | undefined;

  constructor(
    private readonly lists: Set<OwnedList>,
    private readonly what: string,
    pointers: BigUint64Array,
    private readonly destroy: Destroy,
  ) {
    this.current = pointers;
    lists.add(this);
  }

  /** @throws Error once they are freed or given up. */
  get pointers(): BigUint64Array {
    if (this.current === undefined) throw new Error(`These ${this.what}s are disposed`);
    return this.current;
  }

  get alive(): number {
    return this.current?.length ?? 0;
  }

  /** Who calls this has to free them. */
  giveUp(): BigUint64Array {
    const { pointers } = this;
    this.current = undefined;
    this.lists.delete(this);
    return pointers;
  }

  release(): void {
    if (this.current) this.giveUp().forEach((pointer) => this.destroy(pointer));
  }
}

/** Takes ownership of a native object that is only released by hand. */
export const own = (what: string, pointer: bigint, destroy: Destroy): Resource =>
  new Group(new Set(), what, [pointer], destroy).members[0]!;

/**
 * Reachable as long as any of the JavaScript objects that were made together. Those keep it in a field: one
 * registration for all of them, since the collector is slow with each.
 */
export type Guard = object;

/** The native objects that belong to one client or topology. */
export class Resources {
  private readonly groups = new Set<Group>();
  private readonly lists = new Set<OwnedList>();
  private readonly collected = new FinalizationRegistry<Group | OwnedList>((owned) => owned.release());

  /** Takes ownership of native objects, until they are released or `guard` is collected. */
  own(guard: Guard, what: string, pointers: readonly bigint[], destroy: Destroy): readonly Resource[] {
    const group = new Group(this.groups, what, pointers, destroy);
    this.collected.register(guard, group);
    return group.members;
  }

  /** The same for native objects that stay together. */
  ownList(guard: Guard, what: string, pointers: BigUint64Array, destroy: Destroy): OwnedList {
    const list = new OwnedList(this.lists, what, pointers, destroy);
    this.collected.register(guard, list);
    return list;
  }

  /** How many are alive. */
  get size(): number {
    let size = 0;
    for (const { alive } of [...this.groups, ...this.lists]) size += alive;
    return size;
  }

  releaseAll(): void {
    for (const owned of [...this.groups, ...this.lists]) owned.release();
  }
}
