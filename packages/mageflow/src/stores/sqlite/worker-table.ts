import type { ResumeRules } from "../../core/recovery.ts";
import type { WorkerRow } from "../../ports/store.ts";
import { UnreadableError } from "../../ports/unreadable.ts";
import type { Connection } from "./connection.ts";
import { unlessUnreadable } from "./readable.ts";

const COLUMNS = "id, host, pid, tasks, concurrency, auto_resume, started_at, lease_until, ended_at";

const PUT = `INSERT OR REPLACE INTO workers (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`;

const NEWEST = `SELECT ${COLUMNS} FROM workers ORDER BY started_at DESC, id DESC LIMIT ?`;

const LAPSED = `SELECT ${COLUMNS} FROM workers
  WHERE ended_at IS NULL AND lease_until <= ? ORDER BY lease_until, id LIMIT ?`;

const ALIVE = "SELECT 1 FROM workers WHERE id = ? AND ended_at IS NULL";

const EXTEND = "UPDATE workers SET lease_until = ? WHERE id = ? AND ended_at IS NULL";

type Row = [
  id: string,
  host: string,
  pid: number,
  tasks: string,
  concurrency: number,
  autoResume: string,
  startedAt: number,
  leaseUntil: number,
  endedAt: number | null,
];

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
    return readable(this.#db.all<Row>(NEWEST, limit));
  }

  /** Sessions whose lease has lapsed at `now`, those first that lapsed first. */
  lapsed(now: number, limit: number): WorkerRow[] {
    return readable(this.#db.all<Row>(LAPSED, now, limit));
  }

  alive(id: string): boolean {
    return this.#db.get(ALIVE, id) !== undefined;
  }

  /** False when there is no such session, or it has ended. */
  extend(id: string, leaseUntil: number): boolean {
    return this.#db.run(EXTEND, leaseUntil, id) > 0;
  }
}

function readable(rows: readonly Row[]): WorkerRow[] {
  return rows.flatMap((row) => unlessUnreadable(() => toWorker(row)) ?? []);
}

function toWorker(row: Row): WorkerRow {
  try {
    return parsed(row);
  } catch (cause) {
    throw new UnreadableError(row[0], "of this worker session the tasks or rules are not JSON", { cause });
  }
}

function parsed(row: Row): WorkerRow {
  const [id, host, pid, tasks, concurrency, autoResume, startedAt, leaseUntil, endedAt] = row;
  return {
    id,
    host,
    pid,
    tasks: JSON.parse(tasks) as string[],
    concurrency,
    autoResume: JSON.parse(autoResume) as ResumeRules,
    startedAt,
    leaseUntil,
    endedAt,
  };
}
