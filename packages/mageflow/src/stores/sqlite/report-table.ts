import type { ResumeEntry, ResumeReport } from "../../core/resume-report.ts";
import { KEPT_REPORTS } from "../../ports/store.ts";
import type { Connection } from "./connection.ts";

const COLUMNS = "id, at, by, reason, seen, resumed, started, kept, skipped, parked, failed, more, entries";

const PUT = `INSERT OR REPLACE INTO reports (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

const LAST_START = "FROM reports WHERE reason = 'start' ORDER BY at DESC, id DESC LIMIT 1";

/** Those behind the newest ones, but not the last of a start. Parameters: how many newer ones the newest of them has, less one. */
const DROP_OLD = `DELETE FROM reports
  WHERE id < (SELECT id FROM reports ORDER BY id DESC LIMIT 1 OFFSET ?) AND id IS NOT (SELECT id ${LAST_START})`;

/** Parameters: the id of the last one seen, how many. */
const NEWEST_AFTER = `SELECT ${COLUMNS} FROM reports WHERE id < ? ORDER BY id DESC LIMIT ?`;

const NEWEST = `SELECT ${COLUMNS} FROM reports ORDER BY id DESC LIMIT ?`;

type Row = [
  id: string,
  at: number,
  by: string,
  reason: ResumeReport["reason"],
  seen: number,
  resumed: number,
  started: number,
  kept: number,
  skipped: number,
  parked: number,
  failed: number,
  more: 0 | 1,
  entries: string,
];

/** Resume reports, the newest ones. */
export class ReportTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  put(report: ResumeReport): void {
    const { id, at, by, reason, seen, resumed, started, kept, skipped, parked, failed, more, entries } =
      report;
    const counts = [seen, resumed, started, kept, skipped, parked, failed];
    this.#db.run(PUT, id, at, by, reason, ...counts, more ? 1 : 0, JSON.stringify(entries));
    this.#db.run(DROP_OLD, KEPT_REPORTS - 1);
  }

  /** The instant of the last report of a start. */
  lastStart(): number | null {
    return this.#db.get<[number]>(`SELECT at ${LAST_START}`)?.[0] ?? null;
  }

  newest(after: string | null, limit: number): ResumeReport[] {
    const rows =
      after === null ? this.#db.all<Row>(NEWEST, limit) : this.#db.all<Row>(NEWEST_AFTER, after, limit);
    return rows.map(toReport);
  }
}

function toReport(row: Row): ResumeReport {
  const [id, at, by, reason, seen, resumed, started, kept, skipped, parked, failed, more, entries] = row;
  const counts = { seen, resumed, started, kept, skipped, parked, failed };
  return { id, at, by, reason, ...counts, more: more === 1, entries: JSON.parse(entries) as ResumeEntry[] };
}
