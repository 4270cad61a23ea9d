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

class Owned implements Resource {
  private current: bigint | undefined;

  constructor(
    private readonly live: Set<Owned>,
    private readonly what: string,
    pointer: bigint,
    private readonly destroy: (pointer: bigint) => void,
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

/** The native objects that belong to one client or topology. */
export class Resources {
  private readonly live = new Set<Owned>();
  private readonly collected = new FinalizationRegistry<Owned>((resource) => resource.release());

  /** Takes ownership of `pointer`, for as long as `owner` is reachable or until it is released. */
  own(owner: object, what: string, pointer: bigint, destroy: (pointer: bigint) => void): Resource {
    const resource = new Owned(this.live, what, pointer, destroy);
    this.collected.register(owner, resource);
    return resource;
  }

  /** How many are alive. */
  get size(): number {
    return this.live.size;
  }

  releaseAll(): void {
    for (const resource of [...this.live]) resource.release();
  }
}
