/** A fifth of what the port allows, and so often that a waiting process hardly notices the difference. */
const POLL_MS = 25;

/** Tells listeners when the version of the data has changed, found out by asking for it. Idle while nobody listens. */
export class Watch {
  readonly #version: () => number | null;
  readonly #listeners = new Set<() => void>();
  #timer: NodeJS.Timeout | null = null;
  #seen: number | null = null;

  /** `version` is null when it cannot be told now. */
  constructor(version: () => number | null) {
    this.#version = version;
  }

  add(listener: () => void): () => void {
    // Wrapped, so that the same function can listen twice.
    const entry = (): void => listener();
    this.#listeners.add(entry);
    if (this.#timer === null) {
      this.#seen = this.#version();
      this.#timer = setInterval(() => this.#poll(), POLL_MS).unref();
    }
    return () => {
      this.#listeners.delete(entry);
      if (this.#listeners.size > 0 || this.#timer === null) return;
      clearInterval(this.#timer);
      this.#timer = null;
    };
  }

  #poll(): void {
    const version = this.#version();
    if (version === null || version === this.#seen) return;
    this.#seen = version;
    for (const listener of this.#listeners) listener();
  }
}
