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

class Owned implements Resource {
  private current: bigint | undefined;

  constructor(
    private readonly live: Set<Owned>,
    private readonly what: string,
    pointer: bigint,
    private readonly destroy: Destroy,
  ) {
    this.current = pointer;
    live.add(this);
  }

  get pointer(): bigint {
    if (this.current === undefined) throw new Error(`This ${this.what} is disposed`);
    return this.current;
  }

  get isReleased(): boolean {
    return this.current === undefined;
  }

  release(): void {
    const pointer = this.current;
    if (pointer === undefined) return;
    this.current = undefined;
    this.live.delete(this);
    this.destroy(pointer);
  }
}

/** Takes ownership of a native object that is only released by hand. */
export const own = (what: string, pointer: bigint, destroy: Destroy): Resource =>
  new Owned(new Set(), what, pointer, destroy);

/**
 * Reachable as long as any of the JavaScript objects that were made together. Those keep it in a field: one
 * registration for a program's 500 outputs, since the collector is slow with each.
 */
export type Guard = object;

/** The native objects that belong to one client or topology. */
export class Resources {
  private readonly live = new Set<Owned>();
  private readonly collected = new FinalizationRegistry<readonly Owned[]>((resources) => {
    for (const resource of resources) resource.release();
  });

  /** Takes ownership of native objects, until they are released or `guard` is collected. */
  own(guard: Guard, what: string, pointers: readonly bigint[], destroy: Destroy): readonly Resource[] {
    const resources = pointers.map((pointer) => new Owned(this.live, what, pointer, destroy));
    this.collected.register(guard, resources);
    return resources;
  }

  /** How many are alive. */
  get size(): number {
    return this.live.size;
  }

  releaseAll(): void {
    for (const resource of [...this.live]) resource.release();
  }
}
