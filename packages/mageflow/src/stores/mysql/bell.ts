import type { Line } from "../line.ts";
import type { Connection } from "./connection.ts";

/** How often (ms) is looked whether anybody has committed. What the port allows is 100. */
const POLL_MS = 50;

/** Counts a commit, as the last thing before it: who has the row waits for nothing any more. */
export const COUNT = "UPDATE mageflow_commits SET n = n + 1 WHERE shard = CONNECTION_ID() % 16";

const PROGRESS = "SELECT CAST(SUM(n) AS SIGNED) FROM mageflow_commits";

/**
 * The doorbell of a store. Who has committed rings in its own process; the others see that there are more commits than there were, for
 * the servers have no way to tell.
 */
export class Bell {
  readonly #eyes: Line<Connection>;
  readonly #listeners = new Set<() => void>();
  #timer: NodeJS.Timeout | null = null;
  #isLooking = false;
  #seen: number | null = null;
  #isOpen = false;

  /** `eyes` is the connection to look over. */
  constructor(eyes: Line<Connection>) {
    this.#eyes = eyes;
  }

  open(): void {
    this.#isOpen = true;
    this.#listen();
  }

  /** Who listens hears nothing until it is opened again. */
  async close(): Promise<void> {
    this.#isOpen = false;
    this.#rest();
    await this.#eyes.close();
  }

  add(listener: () => void): () => void {
    // Wrapped, so that the same function can listen twice.
    const entry = (): void => listener();
    this.#listeners.add(entry);
    this.#listen();
    return () => {
      this.#listeners.delete(entry);
      if (this.#listeners.size === 0) this.#rest();
    };
  }

  /** Tells who listens in this process at once. */
  ring(): void {
    queueMicrotask(() => this.#tell());
  }

  #listen(): void {
    if (!this.#isOpen || this.#timer !== null || this.#listeners.size === 0) return;
    this.#seen = null;
    this.#timer = setInterval(() => void this.#look(), POLL_MS).unref();
    void this.#look();
  }

  #rest(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const db = await this.#eyes.connection();
      const [progress] = (await db.get<[number]>(PROGRESS))!;
      const grew = this.#seen !== null && progress !== this.#seen;
      this.#seen = progress;
      if (grew) this.#tell();
    } catch {
      // A server that cannot be reached now has nothing to tell; it is asked again.
    } finally {
      this.#isLooking = false;
    }
  }

  #tell(): void {
    if (this.#timer === null) return;
    for (const listener of this.#listeners) listener();
  }
}
