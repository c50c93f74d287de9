import type { WorkerRow } from "../../ports/store.ts";
import { readable } from "../readable.ts";
import { type StoredWorker, toWorker } from "../worker-row.ts";
import { text } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { list, rows } from "./literals.ts";
import { NOW } from "./store-time.ts";

const COLUMNS = `${text("w.id")}, w.host, w.pid, w.tasks, w.concurrency, w.auto_resume, w.started_at,
  COALESCE(l.lease_until, w.lease_until), w.ended_at`;

/** Waits for transactions that count on these sessions to be alive. */
const HOLD = "SELECT 1 FROM mageflow_workers FORCE INDEX (PRIMARY) WHERE id IN $1 ORDER BY id FOR UPDATE";

const PUT = `INSERT INTO mageflow_workers
    (id, host, pid, tasks, concurrency, auto_resume, started_at, lease_until, ended_at) VALUES $1
  ON DUPLICATE KEY UPDATE host = VALUES(host), pid = VALUES(pid), tasks = VALUES(tasks), concurrency = VALUES(concurrency),
    auto_resume = VALUES(auto_resume), started_at = VALUES(started_at), lease_until = VALUES(lease_until),
    ended_at = VALUES(ended_at)`;

const PUT_LEASE = `INSERT INTO mageflow_leases (id, lease_until) VALUES $1
  ON DUPLICATE KEY UPDATE lease_until = VALUES(lease_until)`;

const DROP_LEASE = "DELETE FROM mageflow_leases WHERE id IN $1";

const NEWEST = `SELECT ${COLUMNS} FROM (
    SELECT id, started_at FROM mageflow_workers FORCE INDEX (by_age) ORDER BY started_at DESC, id DESC LIMIT $1
  ) AS page STRAIGHT_JOIN mageflow_workers AS w FORCE INDEX (PRIMARY) ON w.id = page.id
    LEFT JOIN mageflow_leases AS l FORCE INDEX (PRIMARY) ON l.id = w.id
  ORDER BY page.started_at DESC, page.id DESC`;

/** Those that some transaction counts on are left out. */
const LAPSED = `SELECT ${COLUMNS} FROM (
    SELECT id FROM mageflow_leases FORCE INDEX (by_end) WHERE lease_until <= $1 ORDER BY lease_until, id LIMIT $2
  ) AS page STRAIGHT_JOIN mageflow_leases AS l FORCE INDEX (PRIMARY) ON l.id = page.id
    STRAIGHT_JOIN mageflow_workers AS w FORCE INDEX (PRIMARY) ON w.id = page.id
  WHERE l.lease_until <= $1 AND w.ended_at IS NULL FOR UPDATE SKIP LOCKED`;

/** Nobody can declare it dead meanwhile, and its lease can be extended. */
const ALIVE = `SELECT ${text("id")} FROM mageflow_workers FORCE INDEX (PRIMARY)
  WHERE id IN $1 AND ended_at IS NULL ORDER BY id LOCK IN SHARE MODE`;

const EXTEND = `UPDATE mageflow_leases SET lease_until = ${NOW} + $2 WHERE id = $1`;

/** Worker sessions. */
export class WorkerTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  /** Of several with one id the last. */
  put(given: readonly WorkerRow[]): Promise<unknown>[] {
    if (given.length === 0) return [];
    const sessions = [...new Map(given.map((row) => [row.id, row])).values()];
    const all = sessions.map((row) => {
      const { id, host, pid, tasks, concurrency, autoResume, startedAt, leaseUntil, endedAt } = row;
      const texts = [JSON.stringify(tasks), concurrency, JSON.stringify(autoResume)];
      return [id, host, pid, ...texts, startedAt, leaseUntil, endedAt];
    });
    const alive = sessions.filter(({ endedAt }) => endedAt === null);
    const ended = sessions.filter(({ endedAt }) => endedAt !== null);
    return [
      this.#db.later(HOLD, list(sessions.map(({ id }) => id))),
      ...rows(all).map((some) => this.#db.later(PUT, some)),
      ...rows(alive.map(({ id, leaseUntil }) => [id, leaseUntil])).map((some) =>
        this.#db.later(PUT_LEASE, some),
      ),
      ...(ended.length === 0 ? [] : [this.#db.later(DROP_LEASE, list(ended.map(({ id }) => id)))]),
    ];
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
    const found = ids.length === 0 ? [] : await this.#db.all<[string]>(ALIVE, list(ids));
    return new Set(found.map(([id]) => id));
  }

  /** False when there is no such session, or it has ended. */
  async extend(id: string, lease: number): Promise<boolean> {
    return (await this.#db.run(EXTEND, id, lease)) > 0;
  }
}
