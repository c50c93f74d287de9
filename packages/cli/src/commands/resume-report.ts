import type { Command } from "commander";
import { action, wholeNumber } from "../action.ts";
import { withStore } from "../open-store.ts";
import { print, printJson } from "../output.ts";
import { reportLines } from "../report-lines.ts";

interface ReportOptions {
  readonly limit: number;
}

/** Reports that the library keeps. */
const KEPT = 100;

export function addResumeReport(program: Command): void {
  program
    .command("resume-report")
    .summary("tell what became of unfinished work")
    .description(
      "Tells what processes did about unfinished work when they started, and when they found that workers were lost; newest first.",
    )
    .option("-l, --limit <n>", `reports to print, at most ${KEPT}`, wholeNumber(1, KEPT), 5)
    .action(
      action<[], ReportOptions>(async (_, { limit, json, store, verbose }) =>
        withStore(store, async (mage) => {
          const reports = await mage.resumeReports({ limit });
          if (json) printJson({ reports });
          else if (reports.length === 0)
            print("Nothing to report: no process has found unfinished work, or lost a worker.");
          for (const [n, report] of json ? [] : reports.entries()) {
            if (n > 0) print();
            for (const line of reportLines(report, verbose)) print(line);
          }
          return 0;
        }),
      ),
    );
}
