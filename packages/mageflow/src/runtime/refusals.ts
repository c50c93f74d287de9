import { emptyReport, type ResumeEntry, type ResumeReport, withEntries } from "../core/resume-report.ts";
import type { Batch } from "./batch.ts";
import type { TaskLease } from "./task-lease.ts";

interface RefusalsParts {
  /** The session of the worker, now. */
  readonly session: () => string;
  readonly newId: () => string;
}

/** What a worker does not let go on, and the report of it. */
export class Refusals {
  readonly #parts: RefusalsParts;
  #report: ResumeReport | null = null;

  constructor(parts: RefusalsParts) {
    this.#parts = parts;
  }

  /** Stops the task where it stands, and tells of it in the same transaction. */
  async park(lease: TaskLease, reason: string): Promise<void> {
    let report = this.#report;
    await lease.park(reason, (batch, fate) => {
      report = this.#tell(batch, fate);
    });
    this.#report = report;
  }

  /** Adds what has become of a task to the report of this session. */
  #tell(batch: Batch, fate: ResumeEntry): ResumeReport {
    const { reports } = batch.extras;
    const by = this.#parts.session();
    const at = reports.findIndex((report) => report.by === by);
    const earlier = at < 0 ? this.#report : reports[at]!;
    const head = { id: this.#parts.newId(), at: batch.now, by, reason: "refused" } as const;
    const report = withEntries(earlier?.by === by ? earlier : emptyReport(head), [fate]);
    if (at < 0) reports.push(report);
    else reports[at] = report;
    return report;
  }
}
