import type { MageFlow, Page, RunStatus, SignatureView, StoredCause, StoredError } from "mageflow";
import { paint, paintStatus } from "./paint.ts";
import { clip } from "./plain-text.ts";
import { instant, number, span } from "./span.ts";

/** What `show` knows of a signature. */
export interface Shown {
  readonly signature: SignatureView;
  readonly status: RunStatus;
  readonly children: Page<SignatureView>;
  readonly callbacks: Page<SignatureView>;
}

/** A signature with as much of its inside as fits on a screen or two. */
export interface Tree {
  readonly view: SignatureView;
  readonly inside: readonly Tree[];
  /** Children that are not listed: how many when that is known, and the cursor to go on from. */
  readonly more: { readonly count: number | null; readonly cursor: string } | null;
}

export interface RootTree extends Tree {
  readonly status: RunStatus;
}

/** Signatures that are drawn of what is inside: containers of a million items are not listed to the end. */
const NODES = 200;
const DEEPEST = 4;
const NESTED = 5;

/** Reads what is inside the children, level by level, until there is enough to show. */
export async function readSubtree(mage: MageFlow, shown: Shown): Promise<RootTree> {
  let left = NODES;
  const grow = async (view: SignatureView, depth: number): Promise<Tree> => {
    left--;
    if (depth > DEEPEST || left <= 0) return { view, inside: [], more: null };
    const run = await mage.get(view.id);
    const [children, callbacks] = await Promise.all([
      view.kind === "task" ? { items: [], next: null } : run.children({ limit: NESTED }),
      run.callbacks({ limit: NESTED }),
    ]);
    const more = children.next === null ? null : { count: null, cursor: children.next };
    return { view, inside: await growAll([...children.items, ...callbacks.items], depth), more };
  };
  const growAll = async (views: readonly SignatureView[], depth: number): Promise<Tree[]> => {
    const trees: Tree[] = [];
    for (const view of views) trees.push(await grow(view, depth + 1));
    return trees;
  };
  const { signature, status, children, callbacks } = shown;
  const last = children.items.at(-1);
  const more =
    children.next === null || last === undefined
      ? null
      : { count: status.counts.total - last.slot - 1, cursor: children.next };
  const inside = await growAll([...children.items, ...callbacks.items], 0);
  return { view: signature, status, inside, more: more?.count === 0 ? null : more };
}

/** The command that goes on with the children of a signature. */
export type MoreCommand = (id: string, cursor: string) => string;

/** The whole page of `show`. */
export function rootLines(tree: RootTree, now: number, more: MoreCommand): string[] {
  const { view, status } = tree;
  const lines = [
    `${paintStatus(status.status)}  ${paint("bold", clip(view.name, 200))}  ${view.kind}`,
    ...factLines(view, status, now),
    ...(view.error === null ? [] : errorLines(view.error)),
  ];
  if (tree.inside.length === 0) return lines;
  return [
    ...lines,
    "",
    ...tree.inside.flatMap((inside, at) =>
      treeLines(inside, "", at === tree.inside.length - 1 && tree.more === null, more),
    ),
    ...moreLines(tree, "", more),
  ];
}

function factLines(view: SignatureView, { counts, progress, heldBy }: RunStatus, now: number): string[] {
  const facts: [string, string | null][] = [
    ["id", clip(view.id, 400)],
    ["is", roleOf(view)],
    ["parent", view.parentId === null ? null : clip(view.parentId, 400)],
    ["key", view.key === null ? null : clip(view.key, 200)],
    ["tags", view.tags.length === 0 ? null : clip(view.tags.join(", "), 200)],
    ["progress", counts.total === 0 && progress.fraction === 0 ? null : progressOf(progress, counts)],
    ["held by", heldBy === null ? null : `${clip(heldBy, 400)} (suspended)`],
    [
      "attempt",
      view.attempt === 0
        ? null
        : `${view.attempt}${view.recoveries > 0 ? `, ${view.recoveries} recoveries` : ""}`,
    ],
    ["generation", view.generation === 1 ? null : String(view.generation)],
    ["priority", view.priority === 0 ? null : String(view.priority)],
    ["worker", view.workerId],
    ["created", `${instant(view.createdAt)} (${span(now - view.createdAt)} ago)`],
    ["started", view.startedAt === null ? null : instant(view.startedAt)],
    [
      "goes on",
      view.dueAt === null
        ? null
        : `${instant(view.dueAt)} (${view.dueAt > now ? `in ${span(view.dueAt - now)}` : "due"})`,
    ],
    ["ended", view.finishedAt === null ? null : instant(view.finishedAt)],
    ["took", view.startedAt === null ? null : span((view.finishedAt ?? now) - view.startedAt)],
    ["cleanups", counts.cleanupFailed === 0 ? null : paint("red", `${number(counts.cleanupFailed)} failed`)],
  ];
  return facts.flatMap(([name, value]) =>
    value === null ? [] : [`  ${paint("dim", name.padEnd(10))}  ${value}`],
  );
}

function roleOf({ role, slot }: SignatureView): string {
  if (role === "root") return "a workflow";
  return role === "step" || role === "item" ? `${role} ${slot}` : `a ${role} callback`;
}

function progressOf({ fraction, note }: RunStatus["progress"], counts: RunStatus["counts"]): string {
  const percent = `${Math.floor(fraction * 100)}%${note === null ? "" : ` ${clip(note, 100)}`}`;
  if (counts.total === 0) return percent;
  const names = [
    "succeeded",
    "failed",
    "skipped",
    "running",
    "ready",
    "waiting",
    "suspended",
    "interrupted",
    "pending",
  ] as const;
  const parts = names.flatMap((name) => (counts[name] === 0 ? [] : [`${number(counts[name])} ${name}`]));
  return `${percent} of ${number(counts.total)}: ${parts.join(", ")}`;
}

/** The error with the way to where it happened, and everything that caused it. */
export function errorLines(error: StoredError): string[] {
  const path = error.path.map(({ name, kind, slot }, at) =>
    clip(at === 0 || kind !== "task" ? name : `${name}[${slot}]`, 60),
  );
  const tries = error.attempts > 1 ? ` after ${error.attempts} attempts` : "";
  const lines = ["", `${paint("red", "failed")}${tries}: ${causeText(error)}`];
  if (path.length > 1) lines.push(`  at ${path.join(" › ")}`);
  const failing = error.path.at(-1);
  if (failing !== undefined && path.length > 1) lines.push(`  id ${clip(failing.id, 400)}`);
  for (let cause: StoredCause | undefined = error.cause; cause !== undefined; cause = cause.cause) {
    lines.push(`  caused by ${causeText(cause)}`);
    const inner = "path" in cause ? (cause as StoredError).path : [];
    if (inner.length > path.length)
      lines.push(
        `    at ${inner.map(({ name }) => clip(name, 60)).join(" › ")}, id ${clip(inner.at(-1)!.id, 400)}`,
      );
  }
  return lines;
}

function causeText({ name, message, code }: StoredCause): string {
  return `${clip(name, 100)}${code === undefined ? "" : ` (${clip(code, 100)})`}: ${clip(message, 1_000)}`;
}

function treeLines(tree: Tree, indent: string, last: boolean, more: MoreCommand): string[] {
  const { view } = tree;
  const place = view.role === "step" || view.role === "item" ? String(view.slot) : view.role;
  const why =
    view.error === null ? "" : paint("red", `  ${clip(`${view.error.name}: ${view.error.message}`, 80)}`);
  const took =
    view.startedAt === null || view.finishedAt === null
      ? ""
      : paint("dim", `  ${span(view.finishedAt - view.startedAt)}`);
  const key = view.key === null ? "" : ` ${clip(view.key, 30)}`;
  const below = `${indent}${last ? "   " : "│  "}`;
  return [
    `${indent}${last ? "└─ " : "├─ "}${paint("dim", place)}${key} ${clip(view.name, 60)}  ${paintStatus(view.status)}${took}${why}`,
    ...tree.inside.flatMap((inside, at) =>
      treeLines(inside, below, at === tree.inside.length - 1 && tree.more === null, more),
    ),
    ...moreLines(tree, below, more),
  ];
}

function moreLines({ more, view }: Tree, indent: string, command: MoreCommand): string[] {
  if (more === null) return [];
  const count = more.count === null ? "" : `${number(more.count)} `;
  return [`${indent}└─ ${paint("dim", `… ${count}more: ${command(view.id, more.cursor)}`)}`];
}
