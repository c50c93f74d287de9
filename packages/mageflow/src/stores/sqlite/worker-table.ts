import type { WorkerRow } from "../../ports/store.ts";
import { readable } from "../readable.ts";
import { type StoredWorker, toWorker, WORKER_COLUMNS as COLUMNS } from "../worker-row.ts";
import type { Connection } from "./connection.ts";

const PUT = `INSERT OR REPLACE INTO workers (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;

const NEWEST = `SELECT ${COLUMNS} FROM workers ORDER BY started_at DESC, id DESC LIMIT ?`;

const LAPSED = `SELECT ${COLUMNS} FROM workers
  WHERE ended_at IS NULL AND lease_until <= ? ORDER BY lease_until, id LIMIT ?`;

const ALIVE = "SELECT 1 FROM workers WHERE id = ? AND ended_at IS NULL";

const EXTEND = "UPDATE workers SET lease_until = ? WHERE id = ? AND ended_at IS NULL";

/** Worker sessions. */
export class WorkerTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  put({ id, host, pid, tasks, concurrency, autoResume, startedAt, leaseUntil, endedAt }: WorkerRow): void {
    const texts = [JSON.stringify(tasks), concurrency, JSON.stringify(autoResume)];
    this.#db.run(PUT, id, host, pid, ...texts, startedAt, leaseUntil, endedAt);
  }

  newest(limit: number): WorkerRow[] {
    return readable(this.#db.all<StoredWorker>(NEWEST, limit), toWorker);
  }

  /** Sessions whose lease has lapsed at `now`, those first that lapsed first. */
  lapsed(now: number, limit: number): WorkerRow[] {
    return readable(this.#db.all<StoredWorker>(LAPSED, now, limit), toWorker);
  }

  alive(id: string): boolean {
    return this.#db.get(ALIVE, id) !== undefined;
  }

  /** False when there is no such session, or it has ended. */
  extend(id: string, leaseUntil: number): boolean {
    return this.#db.run(EXTEND, leaseUntil, id) > 0;
  }
}
