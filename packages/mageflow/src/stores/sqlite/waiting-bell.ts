import { closeSync, openSync, statSync, utimesSync } from "node:fs";
import type { Location } from "./location.ts";

/** How long (ms) a bell is not listened to again. Listening takes as long as a small statement. */
const DEAF_MS = 1;

/**
 * Fairness between processes. SQLite gives its write lock to who asks at the right moment, so a process that commits
 * without a break keeps all others out for seconds. Who waits for the lock rings, by touching a file beside the
 * database; who has held it listens before it takes it again, and lets the one who waits go first.
 *
 * A doorbell: when it cannot be rung or heard, things get slower and nothing else.
 */
export class WaitingBell {
  readonly #path: string | null;
  #touched = 0;
  #listened = -Infinity;

  /** A database in memory has nobody else waiting. */
  constructor(location: Location) {
    this.#path = location === null ? null : `${location}-waiting`;
  }

  ring(): void {
    if (this.#path === null) return;
    try {
      const now = Date.now() / 1_000;
      utimesSync(this.#path, now, now);
    } catch {
      this.#make(this.#path);
    }
  }

  /** Whether anybody has rung since it was listened to last. Asked again within a millisecond it says no. */
  rang(): boolean {
    if (performance.now() - this.#listened < DEAF_MS) return false;
    const before = this.#touched;
    this.hush();
    return this.#touched !== before;
  }

  /** Takes it that whoever has rung until now was served. */
  hush(): void {
    if (this.#path === null) return;
    try {
      this.#touched = statSync(this.#path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
      this.#listened = performance.now();
    } catch {
      // Nobody can be heard.
    }
  }

  #make(path: string): void {
    try {
      closeSync(openSync(path, "a"));
    } catch {
      // No right to make a file, or no room for one.
    }
  }
}
