import type { ResumeEntry, ResumeReport } from "../../core/resume-report.ts";
import { KEPT_REPORTS } from "../../ports/store.ts";
import type { Connection } from "./connection.ts";

const COUNTS = "seen, resumed, started, kept, skipped, parked, failed";

const COLUMNS = `id, at, by, reason, ${COUNTS}, more, entries`;

const PUT = `INSERT INTO reports (${COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
  ON CONFLICT (id) DO UPDATE SET (at, by, reason, ${COUNTS}, more, entries) =
    (excluded.at, excluded.by, excluded.reason, excluded.seen, excluded.resumed, excluded.started, excluded.kept, excluded.skipped,
      excluded.parked, excluded.failed, excluded.more, excluded.entries)`;

const LAST_START = "FROM reports WHERE reason = 'start' ORDER BY at DESC, id DESC LIMIT 1";

/** Those behind the newest ones, but not the last of a start. Parameter: how many newer ones the newest of them has, less one. */
const DROP_OLD = `DELETE FROM reports
  WHERE id < (SELECT id FROM reports ORDER BY id DESC OFFSET $1 LIMIT 1) AND id IS DISTINCT FROM (SELECT id ${LAST_START})`;

const NEWEST = `SELECT ${COLUMNS} FROM reports WHERE ($1::text IS NULL OR id < $1) ORDER BY id DESC LIMIT $2`;

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
  more: boolean,
  entries: string,
];

/** Resume reports, the newest ones. */
export class ReportTable {
  readonly #db: Connection;

  constructor(db: Connection) {
    this.#db = db;
  }

  put(reports: readonly ResumeReport[]): Promise<unknown>[] {
    return reports.flatMap((report) => {
      const { id, at, by, reason, seen, resumed, started, kept, skipped, parked, failed, more, entries } =
        report;
      const counts = [seen, resumed, started, kept, skipped, parked, failed];
      return [
        this.#db.all(PUT, id, at, by, reason, ...counts, more, JSON.stringify(entries)),
        this.#db.all(DROP_OLD, KEPT_REPORTS - 1),
      ];
    });
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
  return { id, at, by, reason, ...counts, more, entries: JSON.parse(entries) as ResumeEntry[] };
}
