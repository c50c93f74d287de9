import type { ResumeReport } from "../../core/resume-report.ts";
import { KEPT_REPORTS } from "../../ports/store.ts";
import { byText } from "./record-order.ts";

/** Resume reports, the newest ones. */
export class ReportTable {
  #reports: ResumeReport[] = [];

  put(report: ResumeReport): void {
    const others = this.#reports.filter(({ id }) => id !== report.id);
    this.#reports = [...others, report].sort((a, b) => byText(b.id, a.id)).slice(0, KEPT_REPORTS);
  }

  newest(after: string | null, limit: number): ResumeReport[] {
    return this.#reports.filter(({ id }) => after === null || id < after).slice(0, limit);
  }
}
