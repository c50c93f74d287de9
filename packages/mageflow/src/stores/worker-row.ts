import type { ResumeRules } from "../core/recovery.ts";
import type { WorkerRow } from "../ports/store.ts";
import { jsonOf } from "./json-text.ts";

/** The columns of a {@link StoredWorker}, as they are selected. */
export const WORKER_COLUMNS =
  "id, host, pid, tasks, concurrency, auto_resume, started_at, lease_until, ended_at";

/** A row of `workers`; `tasks` and `autoResume` are JSON texts. */
export type StoredWorker = readonly [
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

/** @throws UnreadableError. */
export function toWorker(row: StoredWorker): WorkerRow {
  const [id, host, pid, tasks, concurrency, autoResume, startedAt, leaseUntil, endedAt] = row;
  const what = "of this worker session the tasks or rules are";
  return {
    id,
    host,
    pid,
    tasks: jsonOf<string[]>(id, what, tasks),
    concurrency,
    autoResume: jsonOf<ResumeRules>(id, what, autoResume),
    startedAt,
    leaseUntil,
    endedAt,
  };
}
