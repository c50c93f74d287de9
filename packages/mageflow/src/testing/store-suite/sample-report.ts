import { emptyReport, type ResumeReport, withEntries } from "../../core/resume-report.ts";
import { LONG_AGO } from "./sample-record.ts";

/** A report of one task that was taken from a lost worker. */
export function sampleReport(id: string, other: Partial<ResumeReport> = {}): ResumeReport {
  const report = emptyReport({ id, at: LONG_AGO, by: "s-1", reason: "lost worker" });
  const entry = {
    id: `${id}.0`,
    name: "résumé \u0000",
    what: "resumed",
    why: "its worker w-1 was lost",
  } as const;
  return { ...withEntries(report, [entry]), ...other };
}
