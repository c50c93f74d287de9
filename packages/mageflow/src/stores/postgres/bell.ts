import type { Connection } from "./connection.ts";
import type { Line } from "./line.ts";

/**
 * How often (ms) is looked whether anybody has committed, in case nobody rang: a process may end between its commit and the bell. What
 * the port allows is 100.
 */
const POLL_MS = 75;

const RING = "SELECT pg_notify($1, '')";

/** Grows with every transaction of the server that has changed anything, in whatever database. */
const PROGRESS = "SELECT pg_snapshot_xmax(pg_current_snapshot())";

/**
 * The doorbell of a store: who has committed rings (`NOTIFY`), and who listens in any process hears it (`LISTEN`). It is rung behind
 * the commit and not by it: in the transaction it would make the commits of all wait for each other.
 */
export class Bell {
  readonly #channel: string;
  /** The connection that hears, and one to ring by. */
  readonly #ears: Line;
  readonly #hand: Line;
  readonly #listeners = new Set<() => void>();
  readonly #deaf = new WeakSet<Connection>();
  #timer: NodeJS.Timeout | null = null;
  #isLooking = false;
  #seen: string | null = null;
  #ringing = false;
  #again = false;

  constructor(schema: string, ears: Line, hand: Line) {
    this.#channel = `mageflow_${schema}`.slice(0, 63);
    this.#ears = ears;
    this.#hand = hand;
  }

  add(listener: () => void): () => void {
    // Wrapped, so that the same function can listen twice.
    const entry = (): void => listener();
    this.#listeners.add(entry);
    if (this.#timer === null) {
      this.#seen = null;
      this.#timer = setInterval(() => void this.#look(), POLL_MS).unref();
      void this.#look();
    }
    return () => {
      this.#listeners.delete(entry);
      if (this.#listeners.size === 0) this.stop();
    };
  }

  /** Tells who listens in this process at once, and others as soon as can be; rings that come meanwhile are one. */
  ring(): void {
    queueMicrotask(() => this.#tell());
    if (this.#ringing) this.#again = true;
    else void this.#ringOthers();
  }

  /** Nobody listens any more. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async #ringOthers(): Promise<void> {
    this.#ringing = true;
    do {
      this.#again = false;
      // A bell that cannot be rung makes things slower and nothing else.
      await this.#hand
        .connection()
        .then((db) => db.all(RING, this.#channel))
        .catch(() => {});
    } while (this.#again);
    this.#ringing = false;
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    try {
      const db = await this.#ears.connection();
      if (!this.#deaf.has(db)) {
        this.#deaf.add(db);
        db.onNotification(() => this.#tell());
        await db.exec(`LISTEN ${this.#channel}`);
      }
      const [progress] = (await db.get<[string]>(PROGRESS))!;
      if (progress !== this.#seen && this.#seen !== null) this.#tell();
      this.#seen = progress;
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
