import type { ResumeReport } from "../../core/resume-report.ts";
import { KEPT_REPORTS } from "../../ports/store.ts";
import { byText } from "./record-order.ts";

/** Resume reports, the newest ones. */
export class ReportTable {
  #reports: ResumeReport[] = [];

  put(report: ResumeReport): void {
    const others = this.#reports.filter(({ id }) => id !== report.id);
    const all = [...others, report].sort((a, b) => byText(b.id, a.id));
    const last = lastOf(all);
    this.#reports = all.filter((one, n) => n < KEPT_REPORTS || one === last);
  }

  /** The instant of the last report of a start. */
  lastStart(): number | null {
    return lastOf(this.#reports)?.at ?? null;
  }

  newest(after: string | null, limit: number): ResumeReport[] {
    return this.#reports.filter(({ id }) => after === null || id < after).slice(0, limit);
  }
}

/** The last report of a start among reports that stand newest first. */
function lastOf(reports: readonly ResumeReport[]): ResumeReport | undefined {
  const starts = reports.filter(({ reason }) => reason === "start");
  return starts.sort((a, b) => b.at - a.at)[0];
}
