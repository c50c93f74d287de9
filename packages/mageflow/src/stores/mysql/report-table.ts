import type { ResumeEntry, ResumeReport } from "../../core/resume-report.ts";
import { KEPT_REPORTS } from "../../ports/store.ts";
import { text } from "./columns.ts";
import type { Connection } from "./connection.ts";
import { rows } from "./literals.ts";

const COUNTS = "seen, resumed, started, kept, skipped, parked, failed";

const PUT = `REPLACE INTO mageflow_reports (id, at, \`by\`, reason, ${COUNTS}, more, entries) VALUES $1`;

/** The last of a start. */
const LAST_START =
  "FROM mageflow_reports FORCE INDEX (starts) WHERE started_at IS NOT NULL ORDER BY started_at DESC, id DESC LIMIT 1";

/**
 * Those behind the newest ones, but not the last of a start. Parameter: how many newer ones the newest of them has, less one. What is
 * looked for stands in tables of its own, for a statement may not read what it deletes from.
 */
const DROP_OLD = `DELETE FROM mageflow_reports
  WHERE id < (SELECT id FROM (SELECT id FROM mageflow_reports ORDER BY id DESC LIMIT 1 OFFSET $1) AS newer)
    AND id <> COALESCE((SELECT id FROM (SELECT id ${LAST_START}) AS last_one), '')`;

const NEWEST = `SELECT ${text("id")}, at, \`by\`, ${text("reason")}, ${COUNTS}, more, entries
  FROM mageflow_reports WHERE $1 IS NULL OR id < $1 ORDER BY id DESC LIMIT $2`;

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
  more: number,
  entries: string,
];

/** Resume reports, the newest ones. */
export class ReportTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  put(reports: readonly ResumeReport[]): Promise<unknown>[] {
    if (reports.length === 0) return [];
    const all = reports.map((report) => {
      const { id, at, by, reason, seen, resumed, started, kept, skipped, parked, failed, more, entries } =
        report;
      const counts = [seen, resumed, started, kept, skipped, parked, failed];
      return [id, at, by, reason, ...counts, more, JSON.stringify(entries)];
    });
    return [
      ...rows(all).map((some) => this.#db.later(PUT, some)),
      this.#db.later(DROP_OLD, KEPT_REPORTS - 1),
    ];
  }

  /** The instant of the last report of a start. */
  async lastStart(): Promise<number | null> {
    return (await this.#db.get<[number]>(`SELECT at ${LAST_START}`))?.[0] ?? null;
  }

  async newest(after: string | null, limit: number): Promise<ResumeReport[]> {
    return (await this.#db.all<Row>(NEWEST, after, limit)).map(toReport);
  }
}

function toReport(row: Row): ResumeReport {
  const [id, at, by, reason, seen, resumed, started, kept, skipped, parked, failed, more, entries] = row;
  const counts = { seen, resumed, started, kept, skipped, parked, failed };
  return { id, at, by, reason, ...counts, more: more === 1, entries: JSON.parse(entries) as ResumeEntry[] };
}
