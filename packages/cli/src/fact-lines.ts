import type { RunStatus, RunStatusLock, SignatureView } from "mageflow";
import { paint } from "./paint.ts";
import { clip } from "./plain-text.ts";
import { instant, number, span } from "./span.ts";

/** What there is to say of one signature, a line each. */
export function factLines(view: SignatureView, status: RunStatus, now: number): string[] {
  const { counts, heldBy } = status;
  const facts: [string, string | null][] = [
    ["id", clip(view.id, 400)],
    ["is", roleOf(view)],
    ["execution", view.status === view.execution ? null : view.execution],
    ["removed", removalOf(view, now)],
    ["stopped", stopOf(view)],
    ...status.locks.map((lock): [string, string] => ["locked", lockText(lock, view.id, now)]),
    ["parent", view.parentId === null ? null : clip(view.parentId, 400)],
    ["key", view.key === null ? null : clip(view.key, 200)],
    ["tags", view.tags.length === 0 ? null : clip(view.tags.join(", "), 200)],
    ["progress", progressOf(status)],
    ["held by", heldBy === null ? null : `${clip(heldBy, 400)} (suspended or stopped)`],
    ["attempt", attemptOf(view)],
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

/** Who has it removed, why and when; what is open then is removed when it has ended. */
function removalOf({ deletion }: SignatureView, now: number): string | null {
  if (deletion === null) return null;
  const { purgeAt, action, by, reason } = deletion;
  const when = purgeAt > now ? `in ${span(purgeAt - now)}` : "due";
  const whose = { delete: "marked by", cancel: "cancelled by", retention: "by" }[action];
  const why = reason === null ? "" : `: ${clip(reason, 200)}`;
  return `${instant(purgeAt)} (${when}), ${whose} ${clip(by, 100)}${why}`;
}

function lockText({ id, by, until }: RunStatusLock, own: string, now: number): string {
  const part = own.startsWith(`${id}.`) ? `with ${clip(id, 400)}, ` : `in part, ${clip(id, 400)}, `;
  return `${id === own ? "" : part}by ${clip(by, 100)}, until ${instant(until)} (in ${span(until - now)})`;
}

/** Why it was stopped, and whether something may still go on somewhere. */
function stopOf({ interrupted }: SignatureView): string | null {
  if (interrupted === null) return null;
  const { clean, reason } = interrupted;
  const how =
    clean === null
      ? "something inside still stops"
      : clean
        ? "clean: all that ran had ended by itself"
        : "not clean: code of it was ended, or given up and may still go on somewhere";
  return reason === null ? how : `${clip(reason, 200)} (${how})`;
}

/** While it waits for a retry, the attempt is the one that follows. */
function attemptOf({ attempt, recoveries, execution }: SignatureView): string | null {
  if (attempt === 0) return null;
  const waiting = execution === "WAITING" ? ", waiting" : "";
  return `${attempt}${waiting}${recoveries > 0 ? `, ${recoveries} recoveries` : ""}`;
}

function progressOf({ execution, counts, progress: { fraction, note } }: RunStatus): string | null {
  const percent = `${Math.floor(fraction * 100)}%${note === null ? "" : ` ${clip(note, 100)}`}`;
  if (counts.total === 0) {
    // Whatever has ended counts as whole, which says nothing of a task that told nothing itself.
    const told = note !== null || (fraction > 0 && (fraction < 1 || execution === "SUCCEEDED"));
    return told ? percent : null;
  }
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
