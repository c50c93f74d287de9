import type { LogRow, MageFlow, Run } from "mageflow";
import { tellFailures } from "./failed-attempts.ts";
import { followWorkflows } from "./follow-workflows.ts";
import { logLine, logObject } from "./log-line.ts";
import { note, warn } from "./output.ts";
import { plainJson, quoting } from "./plain-text.ts";
import { tellLogs } from "./tell-logs.ts";
import { watchStuck } from "./watch-stuck.ts";

export interface TellingOptions {
  readonly mage: MageFlow;
  /** Only what happens in this workflow, from after `since`, or from now on when that is null; without, in the whole store. */
  readonly of?: { readonly run: Run; readonly since: number | null };
  /** Also log lines with a number beyond this. */
  readonly logsAfter: number | null;
  /** Without attempts that fail. */
  readonly quiet: boolean;
  readonly json: boolean;
}

export interface AllTelling {
  /** Ends, and tells first what there is left of a workflow that is settled. */
  end(settled: boolean): Promise<void>;
}

/** What `run` and `worker` tell on stderr while they work: what is stuck, what fails, and log lines. */
export function startTelling({ mage, of, logsAfter, quiet, json }: TellingOptions): AllTelling {
  const over = new AbortController();
  const { signal } = over;
  const say = (line: string): void => warn(line, json);
  const quote = quoting(json);
  const endWatch = watchStuck({ mage, say, quote, ...(of === undefined ? {} : { run: of.run }) });
  const follow = (run: Run, since: number | null): Promise<number | null> =>
    tellFailures(run, since, { mage, say, quote, signal });
  const all = (): Promise<void> => followWorkflows(mage, follow, signal);
  const failures = quiet ? null : of === undefined ? all() : follow(of.run, of.since);
  const read = (query: { after: number; limit: number }): Promise<LogRow[]> =>
    of === undefined ? mage.logs(query) : of.run.logs({ ...query, inside: true });
  const logs =
    logsAfter === null
      ? null
      : tellLogs(read, logsAfter, json ? writeLog : (row) => note(logLine(row, true)));
  return {
    end: async (settled) => {
      endWatch();
      if (settled) await failures;
      over.abort();
      await logs?.end();
    },
  };
}

function writeLog(row: LogRow): void {
  process.stderr.write(`${plainJson({ log: logObject(row) })}\n`);
}
