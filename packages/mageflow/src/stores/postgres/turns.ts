/** Containers that are started from at once, and some more. */
const MOST = 1_024;

/** So often in a row a container's children are looked for from where the last ones stood; then from the first on. */
const IN_A_ROW = 15;

/** The last child that was started of a container. */
export interface Turn {
  readonly priority: number;
  readonly slot: number;
}

interface Place extends Turn {
  readonly left: number;
}

/**
 * Where the next children of containers stand, which are started in their order: the entries of those that were, a million of them it may
 * be, stand in front of them in the index until the next vacuum, and it takes time to pass them.
 *
 * What becomes startable before that place through this process is known of; through another one it is found within some starts, or
 * when there is nothing behind the place: it is late by some hundred milliseconds at most, where anyway nobody knows which of two
 * processes comes first.
 */
export class Turns {
  readonly #places = new Map<string, Place>();

  /** Behind which child to look for the next ones, or null to look for them from the first on. */
  after(parentId: string): Turn | null {
    const place = this.#places.get(parentId);
    if (place === undefined) return null;
    if (place.left === 0) {
      this.#places.delete(parentId);
      return null;
    }
    this.#places.set(parentId, { ...place, left: place.left - 1 });
    return place;
  }

  /** What a transaction has started, that has committed; null where the first child may be another one now. */
  add(started: ReadonlyMap<string, Turn | null>): void {
    for (const [parentId, turn] of started) {
      const left = this.#places.get(parentId)?.left ?? IN_A_ROW;
      this.#places.delete(parentId);
      if (turn !== null) this.#places.set(parentId, { priority: turn.priority, slot: turn.slot, left });
    }
    for (const parentId of this.#places.keys()) {
      if (this.#places.size <= MOST) break;
      this.#places.delete(parentId);
    }
  }
}
