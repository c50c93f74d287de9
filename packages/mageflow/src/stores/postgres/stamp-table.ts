import type { Stamp } from "../../ports/store.ts";
import { textArray } from "./arrays.ts";
import type { Connection } from "./connection.ts";
import { NOW } from "./store-time.ts";

/** Long after a process has ended nobody asks for what it got committed (ms). */
const KEPT_MS = 7 * 86_400_000;

const PUT = `INSERT INTO stamps (by, n, at) VALUES ($1, $2, $3)
  ON CONFLICT (by) DO UPDATE SET n = excluded.n, at = excluded.at`;

const GET = "SELECT n FROM stamps WHERE by = $1";

/** Found without a lock, and mostly there are none: who may only read can open a store. */
const OLD = `SELECT by FROM stamps WHERE at < ${NOW} - ${KEPT_MS} LIMIT 1000`;

const DROP = "DELETE FROM stamps WHERE by = ANY ($1::text[])";

/**
 * The last commit of each process: by this it is known later whether one was made whose answer was lost. The number of a transaction does
 * not tell: what the server has given away and had not written down when it crashed, it gives to another one.
 */
export class StampTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  put({ by, n }: Stamp, now: number): Promise<unknown> {
    return this.#db.all(PUT, by, n, now);
  }

  /** The number of the last one, 0 when there is none. */
  async last(by: string): Promise<number> {
    return (await this.#db.get<[number]>(GET, by))?.[0] ?? 0;
  }

  async dropOld(): Promise<void> {
    const old = await this.#db.all<[string]>(OLD);
    if (old.length > 0) await this.#db.all(DROP, textArray(old.map(([by]) => by)));
  }
}
