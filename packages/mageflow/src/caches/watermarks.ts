/** What a process has shown or committed of a workflow: looks that are older are not shown by it any more. */
interface Mark {
  /** By the clock of this process. */
  readonly here: number;
  /** By the clock of the cache. */
  readonly there: number;
  /** When this process has committed something of it, by its own clock. */
  readonly wrote: number;
}

const NEVER = Number.NEGATIVE_INFINITY;
const NONE: Mark = { here: NEVER, there: NEVER, wrote: NEVER };

/** Workflows that are remembered one by one; for all others counts the youngest of those that were forgotten. */
const MOST = 10_000;

/** How far a process has seen, by workflow, so that what it reads next is not older. */
export class Watermarks {
  readonly #marks = new Map<string, Mark>();
  #forgotten = NONE;
  #latest = NONE;

  /** Of one workflow, or of all. */
  of(rootId: string | null): Mark {
    return rootId === null ? this.#latest : (this.#marks.get(rootId) ?? this.#forgotten);
  }

  /** Something of the workflow was committed or read from the store until `here`, or in the cache stands as of `there`. */
  raise(rootId: string, { here = NEVER, there = NEVER, wrote = NEVER }: Partial<Mark>): void {
    const mark = later(this.of(rootId), { here, there, wrote });
    this.#latest = later(this.#latest, mark);
    this.#marks.delete(rootId);
    this.#marks.set(rootId, mark);
    if (this.#marks.size <= MOST) return;
    const [[oldest, forgotten]] = this.#marks as Iterable<[string, Mark]> as unknown as [[string, Mark]];
    this.#marks.delete(oldest);
    this.#forgotten = later(this.#forgotten, forgotten);
  }
}

function later(a: Mark, b: Mark): Mark {
  return {
    here: Math.max(a.here, b.here),
    there: Math.max(a.there, b.there),
    wrote: Math.max(a.wrote, b.wrote),
  };
}
