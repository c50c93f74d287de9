/** Containers that are started from at once, and some more. */
const MOST = 1_024;

/** How long (ms) a container's children are looked for from where the last ones stood; then from the first on. */
const FOR_MS = 500;

/** A child as it stands in the order of turns. */
export interface Turn {
  readonly priority: number;
  readonly slot: number;
}

interface Place extends Turn {
  /** By the monotonic clock. */
  readonly until: number;
}

/**
 * Where the next children of containers stand, which are started in their order: the entries of those that were, a million of them it may
 * be, stand in front of them in the index until the next vacuum, and it takes time to pass them.
 *
 * What becomes startable before that place through this process is known of; through another one it is found half a second later at
 * most, or when there is nothing behind the place.
 */
export class Turns {
  readonly #monotonic: () => number;
  readonly #places = new Map<string, Place>();
  #reopened = 0;

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** How many transactions have made something startable before what was started. */
  get reopened(): number {
    return this.#reopened;
  }

  /** Behind which child to look for the next ones, or null to look for them from the first on. */
  after(parentId: string): Turn | null {
    const place = this.#places.get(parentId);
    if (place === undefined) return null;
    if (this.#monotonic() < place.until) return place;
    this.#places.delete(parentId);
    return null;
  }

  /**
   * What a transaction has started, that has committed; null where the first child may be another one now. `reopened` is how many had made
   * something startable when it began: it may not have seen what others have since.
   */
  add(started: ReadonlyMap<string, Turn | null>, reopened: number): void {
    const isLast = reopened === this.#reopened;
    for (const [parentId, turn] of started) {
      const until = this.#places.get(parentId)?.until ?? this.#monotonic() + FOR_MS;
      this.#places.delete(parentId);
      if (turn !== null && isLast)
        this.#places.set(parentId, { priority: turn.priority, slot: turn.slot, until });
    }
    if ([...started.values()].includes(null)) this.#reopened++;
    for (const parentId of this.#places.keys()) {
      if (this.#places.size <= MOST) break;
      this.#places.delete(parentId);
    }
  }
}
