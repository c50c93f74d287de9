import { closeSync, openSync, statSync, utimesSync } from "node:fs";
import type { Location } from "./location.ts";

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

  /** Whether anybody has rung since this was asked last. */
  rang(): boolean {
    if (this.#path === null) return false;
    try {
      const touched = statSync(this.#path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
      const rang = touched !== this.#touched;
      this.#touched = touched;
      return rang;
    } catch {
      return false;
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
