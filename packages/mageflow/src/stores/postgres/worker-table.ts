import type { WorkerRow } from "../../ports/store.ts";
import { readable } from "../readable.ts";
import { type StoredWorker, toWorker, WORKER_COLUMNS as COLUMNS } from "../worker-row.ts";
import { textArray } from "./arrays.ts";
import type { Connection } from "./connection.ts";
import { NOW } from "./store-time.ts";

/** Waits for transactions that count on these sessions to be alive. */
const HOLD = "SELECT id FROM workers WHERE id = ANY ($1::text[]) ORDER BY id FOR UPDATE";

const PUT = `INSERT INTO workers (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
  ON CONFLICT (id) DO UPDATE SET (host, pid, tasks, concurrency, auto_resume, started_at, lease_until, ended_at) =
    (excluded.host, excluded.pid, excluded.tasks, excluded.concurrency, excluded.auto_resume, excluded.started_at,
      excluded.lease_until, excluded.ended_at)`;

const NEWEST = `SELECT ${COLUMNS} FROM workers ORDER BY started_at DESC, id DESC LIMIT $1`;

/** Those that some transaction counts on are left out. */
const LAPSED = `SELECT ${COLUMNS} FROM workers
  WHERE ended_at IS NULL AND lease_until <= $1 ORDER BY lease_until, id LIMIT $2 FOR UPDATE SKIP LOCKED`;

/** A lock that lets heartbeats through, and nobody who would declare it dead. */
export const ALIVE = "SELECT id FROM workers WHERE id = ANY ($1::text[]) AND ended_at IS NULL FOR KEY SHARE";

const EXTEND = `UPDATE workers SET lease_until = ${NOW} + $2 WHERE id = $1 AND ended_at IS NULL RETURNING id`;

/** Worker sessions. */
export class WorkerTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  put(rows: readonly WorkerRow[]): Promise<unknown>[] {
    if (rows.length === 0) return [];
    const put = rows.map((row) => {
      const { id, host, pid, tasks, concurrency, autoResume, startedAt, leaseUntil, endedAt } = row;
      const texts = [JSON.stringify(tasks), concurrency, JSON.stringify(autoResume)];
      return this.#db.all(PUT, id, host, pid, ...texts, startedAt, leaseUntil, endedAt);
    });
    return [this.#db.all(HOLD, textArray(rows.map(({ id }) => id))), ...put];
  }

  async newest(limit: number): Promise<WorkerRow[]> {
    return readable(await this.#db.all<StoredWorker>(NEWEST, limit), toWorker);
  }

  /** Sessions whose lease has lapsed at `now`, those first that lapsed first. */
  async lapsed(now: number, limit: number): Promise<WorkerRow[]> {
    return readable(await this.#db.all<StoredWorker>(LAPSED, now, limit), toWorker);
  }

  /** Which of these sessions are known and not ended; they stay so until the transaction ends. */
  async alive(ids: readonly string[]): Promise<Set<string>> {
    const rows = ids.length === 0 ? [] : await this.#db.all<[string]>(ALIVE, textArray(ids));
    return new Set(rows.map(([id]) => id));
  }

  /** False when there is no such session, or it has ended. */
  async extend(id: string, lease: number): Promise<boolean> {
    return (await this.#db.get(EXTEND, id, lease)) !== undefined;
  }
}
