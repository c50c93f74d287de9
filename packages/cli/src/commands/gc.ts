import type { Command } from "commander";
import type { MageFlow, SignatureView, Status } from "mageflow";
import { action, type Globals, wholeNumber } from "../action.ts";
import { typedWith } from "../command-line.ts";
import { type Column, fitColumns } from "../fit-columns.ts";
import { isGone } from "../is-gone.ts";
import { withStore } from "../open-store.ts";
import { note, print, printJson } from "../output.ts";
import { paint } from "../paint.ts";
import { clip } from "../plain-text.ts";
import { describe, type Reported } from "../report-error.ts";
import { screenWidth } from "../screen.ts";
import { number, span } from "../span.ts";
import { table } from "../table.ts";

interface GcOptions {
  readonly dryRun?: boolean;
  readonly limit: number;
  readonly cursor?: string;
}

/** Workflows on a page when they are removed. */
const PAGE = 500;
/** Of what could not be removed, programs get so many; all are counted. */
const KEPT = 100;

export function addGc(program: Command): void {
  program
    .command("gc")
    .summary("remove what is marked for deletion and due, or list what is marked")
    .description(
      "Removes the workflows that are marked for deletion, by `delete` or by their retention, and whose time has come. Every process that works " +
        "on the store does the same once a second; this one ends when it is done. With --dry-run it lists what is marked, due or not, and what is due and waits for its end or for a lock, and changes nothing.",
    )
    .option("--dry-run", "list what is marked, and when it is due")
    .option("-l, --limit <n>", "rows to list, at most 500", wholeNumber(1, 500), 20)
    .option("--cursor <cursor>", "go on with the list where another page ended")
    .action(
      action<[], GcOptions>(async (_, options) =>
        withStore(options.store, (mage) =>
          options.dryRun === true ? list(mage, options) : removeDue(mage, options),
        ),
      ),
    );
}

async function list(mage: MageFlow, { limit, cursor, json, typed }: GcOptions & Globals): Promise<number> {
  const page = { limit, ...(cursor === undefined ? {} : { cursor }) };
  const { items, next } = await mage.list({ marked: true, ...page });
  const now = Date.now();
  const marked = await Promise.all(items.map((view) => asMarked(mage, view, now)));
  if (json) {
    printJson({ items: marked, next });
    return 0;
  }
  if (items.length === 0) print("Nothing is marked for deletion.");
  else for (const line of table(fitColumns(columns(marked, now), ["BY"], screenWidth()))) print(line);
  if (next !== null) print(paint("dim", `more: ${typedWith(typed, ["--cursor"], next)}`));
  return 0;
}

/** A workflow that is marked, and what it waits for when its time has come. */
interface Marked extends SignatureView {
  readonly due: boolean;
  readonly waitsFor: "its end" | "a lock" | null;
}

async function asMarked(mage: MageFlow, view: SignatureView, now: number): Promise<Marked> {
  const due = isDue(view, now);
  return { ...view, due, waitsFor: due ? await whatKeeps(mage, view) : null };
}

async function whatKeeps(mage: MageFlow, view: SignatureView): Promise<Marked["waitsFor"]> {
  const { id, execution, startedAt, interrupted } = view;
  const { open, locks } = await (await mage.get(id)).status();
  if (locks.length > 0) return "a lock";
  if (execution === "INTERRUPTED") return interrupted?.clean === null ? "its end" : null;
  if (startedAt === null && execution !== "RUNNING") return null;
  if (!ENDED.has(execution)) return "its end";
  return open.length > 0 ? "its end" : null;
}

const ENDED: ReadonlySet<Status> = new Set(["SUCCEEDED", "FAILED", "SKIPPED"]);

function isDue({ deletion }: SignatureView, now: number): boolean {
  return deletion !== null && deletion.purgeAt <= now;
}

function dueText({ due, waitsFor, deletion }: Marked, now: number): string {
  if (!due) return `in ${span(deletion!.purgeAt - now)}`;
  return waitsFor === null ? "now" : `after ${waitsFor}`;
}

function columns(marked: readonly Marked[], now: number): Column[] {
  const column = (title: string, cell: (view: Marked) => string): Column => ({
    title,
    cells: marked.map(cell),
  });
  return [
    column("DUE", (view) => dueText(view, now)),
    column("ID", ({ id }) => clip(id, 60)),
    { ...column("NAME", ({ name }) => clip(name, 40)), least: 12 },
    column("EXECUTION", ({ execution }) => execution),
    { ...column("BY", ({ deletion }) => clip(deletion!.by, 40)), least: 8 },
    { ...column("REASON", ({ deletion }) => clip(deletion!.reason ?? "", 60)), least: 8 },
  ];
}

async function removeDue(mage: MageFlow, { json }: Globals): Promise<number> {
  const kept: (Reported & { readonly id: string })[] = [];
  let [removed, left] = [0, 0];
  let cursor: string | undefined;
  do {
    const page = await mage.list({ marked: true, limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    for (const view of page.items.filter((marked) => isDue(marked, Date.now()))) {
      const refused = await remove(mage, view);
      if (refused === null) {
        removed++;
        if (!json) print(`${paint("gray", "removed")}  ${clip(view.name, 100)}  ${view.id}`);
        continue;
      }
      left++;
      if (kept.length < KEPT) kept.push({ id: view.id, ...refused });
      if (!json) note(`mageflow: ${refused.message}`);
    }
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  // What was cancelled, and what others have left half removed.
  await mage.reconcile();
  if (json) printJson({ removed, left, kept });
  else print(`${number(removed)} removed${left === 0 ? "" : `, ${number(left)} left for later`}`);
  return 0;
}

/** Null when it is gone, whoever did it; else why it stays for now: it is open, or locked. */
async function remove(mage: MageFlow, { id }: SignatureView): Promise<Reported | null> {
  try {
    await (await mage.get(id)).purgeNow();
    return null;
  } catch (error) {
    if (isGone(error)) return null;
    const reported = describe(error);
    if (reported.code === "ILLEGAL_TRANSITION" || reported.code === "LOCKED") return reported;
    throw error;
  }
}
