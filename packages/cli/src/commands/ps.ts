import type { Command } from "commander";
import type { ListFilter, MageFlow, Page, SignatureView, Status, WorkerRow } from "mageflow";
import { action, commaList, wholeNumber } from "../action.ts";
import { commandLine, type Given, typedWith } from "../command-line.ts";
import { type Column, fitColumns } from "../fit-columns.ts";
import { isGone } from "../is-gone.ts";
import { listInside } from "../list-inside.ts";
import { withStore } from "../open-store.ts";
import { print, printJson } from "../output.ts";
import { paint, paintStatus } from "../paint.ts";
import { clip } from "../plain-text.ts";
import { screenWidth } from "../screen.ts";
import { number, span } from "../span.ts";
import { statusNote } from "../status-note.ts";
import { statusList } from "../statuses.ts";
import { table } from "../table.ts";

interface PsOptions {
  readonly status?: Status[];
  readonly name?: string[];
  readonly tag?: string;
  readonly marked?: boolean;
  readonly all?: boolean;
  readonly in?: string;
  readonly limit: number;
  readonly cursor?: string;
}

interface Row {
  readonly view: SignatureView;
  /** Null for a task. */
  readonly progress: { readonly done: number; readonly failed: number; readonly total: number } | null;
}

/** Columns that a narrow terminal does without, the first one first. */
const LEFT_OUT = ["DURATION", "KIND", "ROLE", "TAGS", "NOTE", "AGE"];
/** Sessions that are looked at for live ones. */
const SESSIONS = 500;
/** The library counts ready tasks no further. */
const COUNTED = 1_000;

export function addPs(program: Command): void {
  program
    .command("ps")
    .summary("list workflows, newest first")
    .description(
      "Lists workflows, newest first, with the live workers and the ready tasks that none of them runs.",
    )
    .option("-s, --status <statuses>", "only these, for example RUNNING,WAITING", statusList)
    .option("-n, --name <names>", "only these names", commaList)
    .option("-t, --tag <tag>", "only workflows with this tag")
    .option("-m, --marked", "only workflows that are marked for deletion")
    .option("--in <id>", "what is inside this workflow, or this part of one")
    .option("-a, --all", "everything that is stored: steps, items and callbacks too")
    .option("-l, --limit <n>", "rows to show, at most 500", wholeNumber(1, 500), 20)
    .option("--cursor <cursor>", "go on where another page ended")
    .addHelpText(
      "after",
      "\nExamples:\n  npx mageflow ps --status RUNNING,WAITING\n  npx mageflow ps --all --status FAILED --limit 100\n  npx mageflow ps --json | jq '.items[].id'",
    )
    .action(
      action<[], PsOptions>(async (_, options) =>
        withStore(options.store, async (mage) => {
          const [{ rows, next }, sessions, left] = await Promise.all([
            listedWithProgress(mage, options),
            mage.workers(SESSIONS),
            mage.unhandled(),
          ]);
          const now = Date.now();
          const workers = sessions.filter(({ endedAt, leaseUntil }) => endedAt === null && leaseUntil > now);
          const unhandled = [...left].map(([task, ready]) => ({ task, ready }));
          if (options.json) {
            printJson({
              items: rows.map(({ view, progress }) => ({ ...view, progress })),
              next,
              workers,
              unhandled,
            });
            return 0;
          }
          if (rows.length === 0) print(describeNothing(options));
          else {
            const wide = columns(rows, options.all === true || options.in !== undefined, now);
            for (const line of table(fitColumns(wide, LEFT_OUT, screenWidth()))) print(line);
          }
          if (next !== null) print(paint("dim", `more: ${typedWith(options.typed, ["--cursor"], next)}`));
          print();
          for (const line of footer(workers, unhandled, options)) print(line);
          return 0;
        }),
      ),
    );
}

async function listedWithProgress(
  mage: MageFlow,
  options: PsOptions,
): Promise<{ rows: Row[]; next: string | null }> {
  const { items, next } = await listed(mage, options);
  return { rows: await Promise.all(items.map((view) => withProgress(mage, view))), next };
}

async function listed(mage: MageFlow, options: PsOptions): Promise<Page<SignatureView>> {
  const filter = filterOf(options);
  if (options.in === undefined) return mage.list(filter);
  return listInside(mage, await (await mage.get(options.in)).view(), filter);
}

function filterOf({
  status,
  name,
  tag,
  marked,
  all,
  limit,
  cursor,
}: PsOptions): ListFilter & { limit: number } {
  return {
    roots: all !== true,
    limit,
    ...(status === undefined ? {} : { status }),
    ...(name === undefined ? {} : { name }),
    ...(tag === undefined ? {} : { tag }),
    ...(marked === undefined ? {} : { marked }),
    ...(cursor === undefined ? {} : { cursor }),
  };
}

async function withProgress(mage: MageFlow, view: SignatureView): Promise<Row> {
  if (view.kind === "task") return { view, progress: null };
  try {
    const { total, succeeded, failed, skipped } = await (await mage.get(view.id)).counts();
    return { view, progress: { done: succeeded + failed + skipped, failed, total } };
  } catch (error) {
    // It was removed since the list was read.
    if (isGone(error)) return { view, progress: null };
    throw error;
  }
}

function columns(rows: readonly Row[], all: boolean, now: number): Column[] {
  const column = (title: string, cell: (row: Row) => string): Column => ({ title, cells: rows.map(cell) });
  const note = column("NOTE", ({ view }) => statusNote(view, now));
  return [
    column("ID", ({ view }) => clip(view.id, 60)),
    { ...column("NAME", ({ view }) => clip(view.name, 40)), least: 12 },
    column("KIND", ({ view }) => view.kind),
    ...(all ? [column("ROLE", ({ view }) => view.role)] : []),
    column("STATUS", ({ view }) => paintStatus(view.status)),
    ...(note.cells.every((cell) => cell === "") ? [] : [{ ...note, least: 20 }]),
    column("PROGRESS", ({ progress }) => (progress === null ? "" : progressText(progress))),
    column("AGE", ({ view }) => span(now - view.createdAt)),
    column("DURATION", ({ view: { startedAt, finishedAt } }) =>
      startedAt === null ? "" : span((finishedAt ?? now) - startedAt),
    ),
    { ...column("TAGS", ({ view }) => clip(view.tags.join(","), 40)), least: 8 },
  ];
}

function progressText({ done, failed, total }: NonNullable<Row["progress"]>): string {
  return `${number(done)}/${number(total)}${failed > 0 ? ` (${number(failed)} failed)` : ""}`;
}

function describeNothing(options: PsOptions & Given): string {
  const { status, name, tag, marked, in: within, cursor } = options;
  const filtered = [status, name, tag, marked, within, cursor].some((filter) => filter !== undefined);
  return filtered
    ? "Nothing fits these filters."
    : `No workflows yet. \`${commandLine(["run", "<file>"], options)}\` starts one.`;
}

/** Who runs tasks now, and what waits for a worker that does not exist. */
function footer(
  workers: readonly WorkerRow[],
  unhandled: readonly { task: string; ready: number }[],
  given: Given,
): string[] {
  const shown = workers
    .slice(0, 5)
    .map(({ host, pid, concurrency }) => `${clip(host, 40)}:${pid} (concurrency ${concurrency})`);
  const more = workers.length > shown.length ? ` and ${workers.length - shown.length} more` : "";
  const live =
    workers.length === 0
      ? `No live workers. \`${commandLine(["worker", "<file>"], given)}\` starts one.`
      : `${workers.length} live ${workers.length === 1 ? "worker" : "workers"}: ${shown.join(", ")}${more}`;
  if (unhandled.length === 0) return [live];
  const tasks = unhandled
    .slice(0, 10)
    .map(({ task, ready }) => `${ready >= COUNTED ? "1,000 or more" : ready} × ${clip(task, 40)}`);
  const others = unhandled.length > tasks.length ? ` and ${unhandled.length - tasks.length} other tasks` : "";
  return [live, paint("yellow", `no handler: ${tasks.join(", ")}${others}`)];
}
