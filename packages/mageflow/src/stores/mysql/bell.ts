import type { Line } from "../line.ts";
import { Lookout } from "../lookout.ts";
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
  readonly #lookout = new Lookout(POLL_MS, (isFirst) => this.#look(isFirst));
  #seen = 0;

  /** `eyes` is the connection to look over. */
  constructor(eyes: Line<Connection>) {
    this.#eyes = eyes;
  }

  open(): void {
    this.#lookout.open();
  }

  /** Who listens hears nothing until it is opened again. */
  async close(): Promise<void> {
    this.#lookout.close();
    await this.#eyes.close();
  }

  add(listener: () => void): () => void {
    return this.#lookout.add(listener);
  }

  /** Tells who listens in this process at once. */
  ring(): void {
    queueMicrotask(() => this.#lookout.tell());
  }

  async #look(isFirst: boolean): Promise<boolean> {
    const db = await this.#eyes.connection();
    const [progress] = (await db.get<[number]>(PROGRESS))!;
    // Before the first look, anything may have been committed.
    const grew = isFirst || progress !== this.#seen;
    this.#seen = progress;
    return grew;
  }
}
