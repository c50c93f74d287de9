/** A store's clock that moves against this process's by more than this (ms) between two looks has been set. */
const JUMP_MS = 300_000;
/** How long (ms) nothing is removed after that: time for people to see the warning and to set the clock right. */
const PAUSE_MS = 3_600_000;
/** A clock that has not moved for this long (ms) was set back: the store's time stands still until the clock is there again. */
const STILL_MS = 5_000;

/**
 * Notices that the store's clock was set, by comparing it with one that only runs: a clock that is ten years ahead for a minute must
 * not remove what was to be kept for ten years.
 */
export class JumpGuard {
  #offset: number | null = null;
  #last = Number.NEGATIVE_INFINITY;
  #movedAt = 0;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #jumpedBy: number | null = null;

  /** False while removals wait. `jumped` is called with the size of a jump (ms) when it is noticed. */
  steady(storeNow: number, monotonic: number, jumped: (by: number) => void): boolean {
    const offset = storeNow - monotonic;
    const by = this.#offset === null ? 0 : offset - this.#offset;
    this.#offset = offset;
    if (storeNow > this.#last) this.#movedAt = monotonic;
    this.#last = storeNow;
    if (Math.abs(by) > JUMP_MS) {
      // Set back to where it was: what was paused goes on.
      this.#pausedUntil =
        this.#jumpedBy !== null && Math.abs(by + this.#jumpedBy) < JUMP_MS ? monotonic : monotonic + PAUSE_MS;
      this.#jumpedBy = by;
      jumped(by);
    }
    return monotonic >= this.#pausedUntil && monotonic - this.#movedAt < STILL_MS;
  }
}
