import { type Command, Option } from "commander";
import type { LogLevel, LogRow, Run } from "mageflow";
import { action, wholeNumber } from "../action.ts";
import { typedWith } from "../command-line.ts";
import { logLine, logObject } from "../log-line.ts";
import { withStore } from "../open-store.ts";
import { print, printJson } from "../output.ts";
import { paint } from "../paint.ts";
import { pause } from "../pause.ts";
import { onSignals } from "../signals.ts";

interface LogsOptions {
  readonly level?: LogLevel;
  readonly contains?: string;
  readonly follow?: boolean;
  readonly inside?: boolean;
  readonly after: number;
  readonly limit?: number;
}

const LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];
const PAGE = 1_000;
const POLL_MS = 200;

export function addLogs(program: Command): void {
  program
    .command("logs")
    .argument("<id>", "id of a task, or with --inside of any part of a workflow")
    .summary("print what tasks have logged")
    .description("Prints stored log lines, oldest first.")
    .addOption(new Option("--level <level>", "only lines of this level and above").choices([...LEVELS]))
    .option("--contains <text>", "only lines whose message contains this")
    .option("-i, --inside", "of the whole workflow that the id belongs to")
    .option("-f, --follow", "wait for more until it has ended (with --json one object per line)")
    .option("--after <seq>", "only lines after this one", wholeNumber(0), 0)
    .option("-l, --limit <n>", "lines to print; default all, with --json 1000", wholeNumber(1))
    .action(
      action<[string], LogsOptions>(async ([id], options) =>
        withStore(options.store, async (mage) => {
          const run = await mage.get(id);
          if (options.follow === true) return follow(run, options);
          const limit = options.limit ?? (options.json ? PAGE : Number.POSITIVE_INFINITY);
          const lines: LogRow[] = [];
          let after = options.after;
          let printed = 0;
          for (;;) {
            const page = await read(run, options, after, Math.min(PAGE, limit - printed));
            printed += page.length;
            after = page.at(-1)?.seq ?? after;
            if (options.json) lines.push(...page);
            else for (const row of page) print(logLine(row, options.inside === true));
            if (page.length < PAGE || printed >= limit) break;
          }
          const next = printed >= limit ? after : null;
          if (options.json) printJson({ id, lines: lines.map(logObject), next });
          else if (printed === 0) print(nothing(options));
          else if (next !== null)
            print(paint("dim", `there may be more: ${typedWith(options.typed, ["--after"], String(next))}`));
          return 0;
        }),
      ),
    );
}

function read(
  run: Run,
  { level, contains, inside }: LogsOptions,
  after: number,
  limit: number,
): Promise<LogRow[]> {
  return run.logs({
    after,
    limit,
    inside: inside === true,
    ...(level === undefined ? {} : { level }),
    ...(contains === undefined ? {} : { contains }),
  });
}

/** Prints lines as they come, until the signature is settled or somebody presses Ctrl-C. */
async function follow(run: Run, options: LogsOptions & { json: boolean }): Promise<number> {
  const stop = new AbortController();
  const off = onSignals({ gentle: () => stop.abort() });
  let settled = false;
  void run.settled().then(
    () => (settled = true),
    () => (settled = true),
  );
  let after = options.after;
  while (!stop.signal.aborted) {
    const last = settled;
    const page = await read(run, options, after, PAGE);
    for (const row of page) {
      if (options.json) printJson(logObject(row));
      else print(logLine(row, options.inside === true));
      after = row.seq;
    }
    if (page.length === PAGE) continue;
    if (last) break;
    await pause(POLL_MS, stop.signal);
  }
  off();
  return 0;
}

function nothing({ inside, level, contains }: LogsOptions): string {
  if (level !== undefined || contains !== undefined) return "No log lines fit these filters.";
  return inside === true
    ? "Nothing was logged."
    : "It has logged nothing itself; --inside prints the whole workflow.";
}
