import type { Stamp } from "../../ports/store.ts";
import { text } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { list } from "./literals.ts";
import { NOW } from "./store-time.ts";

/** Long after a process has ended nobody asks for what it got committed (ms). */
const KEPT_MS = 7 * 86_400_000;

const PUT = `INSERT INTO mageflow_stamps (\`by\`, n, at) VALUES ($1, $2, $3)
  ON DUPLICATE KEY UPDATE n = VALUES(n), at = VALUES(at)`;

const GET = "SELECT n FROM mageflow_stamps WHERE `by` = $1";

/** Found without a lock: a statement that looks for them to delete them waits for those that are being written. */
const OLD = `SELECT ${text("`by`")} FROM mageflow_stamps WHERE at < ${NOW} - ${KEPT_MS} LIMIT 1000`;

const DROP = "DELETE FROM mageflow_stamps WHERE `by` IN $1";

/** The last commit of each process: by this it is known later whether one was made whose answer was lost. */
export class StampTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  put({ by, n }: Stamp, now: number): Promise<unknown> {
    return this.#db.later(PUT, by, n, now);
  }

  /** The number of the last one, 0 when there is none. */
  async last(by: string): Promise<number> {
    return (await this.#db.get<[number]>(GET, by))?.[0] ?? 0;
  }

  async dropOld(): Promise<void> {
    const old = await this.#db.all<[string]>(OLD);
    if (old.length > 0) await this.#db.run(DROP, list(old.map(([by]) => by)));
  }
}
