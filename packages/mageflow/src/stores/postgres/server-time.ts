/** What was heard longer ago (ms) is asked for again. */
const FRESH_MS = 1_000;

/** The best of what was heard is forgotten after as long as this (ms) to twice as long, as clocks drift apart. */
const WINDOW_MS = 10_000;

/**
 * The server's clock, as it can be told here without asking: what it last said, and the time since by the monotonic clock of this
 * process. An answer is heard some time after it was given, so the one that makes it latest is the closest. It never goes back.
 */
export class ServerTime {
  readonly #monotonic: () => number;
  #heardAt = Number.NEGATIVE_INFINITY;
  /** How far the server's clock is ahead of the monotonic one, as far as can be told: in this window of time, and in the one before. */
  #ahead = Number.NEGATIVE_INFINITY;
  #aheadBefore = Number.NEGATIVE_INFINITY;
  #windowAt = Number.NEGATIVE_INFINITY;
  #last = 0;

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** The server has just said that it is `now`. */
  hear(now: number): void {
    const at = this.#monotonic();
    this.#heardAt = at;
    if (at - this.#windowAt > WINDOW_MS) {
      this.#aheadBefore = at - this.#windowAt > 2 * WINDOW_MS ? Number.NEGATIVE_INFINITY : this.#ahead;
      this.#ahead = Number.NEGATIVE_INFINITY;
      this.#windowAt = at;
    }
    this.#ahead = Math.max(this.#ahead, now - at);
  }

  /** Null when the server has not said anything for a while. */
  now(): number | null {
    const at = this.#monotonic();
    if (at - this.#heardAt > FRESH_MS) return null;
    const ahead = Math.max(this.#ahead, this.#aheadBefore);
    this.#last = Math.max(this.#last, Math.floor(at + ahead));
    return this.#last;
  }
}
