import { performance } from "node:perf_hooks";
import type { Connection } from "./connection.ts";
import type { Line } from "../line.ts";
import { Lookout } from "../lookout.ts";

/**
 * How often (ms) is looked whether anybody has committed, in case nobody rang: a process may end between its commit and the bell. What
 * the port allows is 100.
 */
const POLL_MS = 75;

/** How often (ms) others are told at most: who hears it looks at everything that was committed by then. */
const RING_MS = 5;

/** A hint need not be durable, and nobody waits until it is. */
const RING = "SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, '')";

/** Counted just before the commit, which may be on its way still when the count is seen. */
const PROGRESS = "SELECT last_value FROM commits";

/**
 * The doorbell of a store: who has committed rings (`NOTIFY`), and who listens in any process hears it (`LISTEN`). It is rung behind
 * the commit and not by it: in the transaction it would make the commits of all wait for each other.
 */
export class Bell {
  readonly #channel: string;
  /** The connection that hears, and one to ring by. */
  readonly #ears: Line<Connection>;
  readonly #hand: Line<Connection>;
  readonly #lookout = new Lookout(POLL_MS, (isFirst) => this.#look(isFirst));
  readonly #heard = new WeakSet<Connection>();
  /** The server's process that rings for this one, whose listeners have been told. */
  #own: number | null = null;
  #seen = 0;
  /** Whether the count had grown when it was last looked at. */
  #hadGrown = false;
  /** Somebody has committed since others were told last, at that time by the monotonic clock. */
  #isDue = false;
  #rungAt = Number.NEGATIVE_INFINITY;
  #next: NodeJS.Timeout | undefined;
  #ringing: Promise<void> | null = null;

  constructor(schema: string, ears: Line<Connection>, hand: Line<Connection>) {
    this.#channel = `mageflow_${schema}`.slice(0, 63);
    this.#ears = ears;
    this.#hand = hand;
  }

  open(): void {
    this.#lookout.open();
  }

  /** Who listens hears nothing until it is opened again. Waits for what is being rung. */
  async close(): Promise<void> {
    this.#lookout.close();
    clearTimeout(this.#next);
    if (this.#isDue) this.#ringSoon();
    await Promise.all([this.#ringing, this.#ears.close()]);
  }

  add(listener: () => void): () => void {
    return this.#lookout.add(listener);
  }

  /** Tells other processes as soon as can be; rings that come meanwhile are one. Who listens here hears of it by the next look. */
  ring(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    const wait = this.#rungAt + RING_MS - performance.now();
    if (wait <= 0) this.#ringSoon();
    else this.#next = setTimeout(() => this.#ringSoon(), wait).unref();
  }

  /** A bell that cannot be rung makes things slower and nothing else. */
  #ringSoon(): void {
    const before = this.#ringing;
    const ringing = (async (): Promise<void> => {
      await before;
      this.#isDue = false;
      this.#rungAt = performance.now();
      await this.#ringOnce().catch(() => {});
    })();
    this.#ringing = ringing;
  }

  async #ringOnce(): Promise<void> {
    const db = await this.#hand.connection();
    this.#own = db.backend;
    await db.all(RING, this.#channel);
  }

  async #look(isFirst: boolean): Promise<boolean> {
    const db = await this.#ears.connection();
    if (!this.#heard.has(db)) {
      this.#heard.add(db);
      db.onNotification((by) => {
        if (by !== this.#own) this.#lookout.tell();
      });
      await db.exec(`LISTEN ${this.#channel}`);
    }
    const [progress] = (await db.get<[number]>(PROGRESS))!;
    // Before the first look, anything may have been committed.
    const grew = isFirst || progress !== this.#seen;
    const hadGrown = this.#hadGrown;
    this.#seen = progress;
    this.#hadGrown = grew;
    // Once more, for what was on its way to be committed.
    return grew || hadGrown;
  }
}
