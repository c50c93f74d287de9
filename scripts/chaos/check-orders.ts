import type { Given } from "./given.ts";
import { overlap } from "./given.ts";
import type { Entry } from "./history.ts";
import type { Row } from "./ledger.ts";
import type { Violation } from "./violation.ts";

/** What an order may be refused with. */
const REFUSALS: readonly string[] = [
  "ILLEGAL_TRANSITION",
  "ALREADY_RUNNING",
  "LOCKED",
  "GONE",
  "STALE_CONFIRMATION",
  "SWARM_CLOSED",
  // A frozen process may hold the store's one lock for longer than its patience.
  "STORE_BUSY",
];

/** Each order was carried out or refused, as a whole, and for a reason. `given` and `history` are of one workflow. */
export function checkOrders(
  given: readonly Given[],
  rows: readonly Row[],
  history: readonly Entry[],
  gone: { readonly seq: number; readonly action: string } | null,
  report: (found: Violation) => void,
): void {
  const rootId = history[0]!.rootId;
  for (const order of given) {
    const { verb, id, answer, fate } = order;
    const say = (kind: Violation["kind"], what: string): void =>
      report({ kind, detail: `${verb} of ${id} ${what}` });
    if (answer === "STUCK") say("stuck", "was never answered");
    else if (answer === "NOT_FOUND") say("lost", "finds nothing");
    else if (fate === "refused" && !REFUSALS.includes(answer!)) say("crashed", `was refused with ${answer}`);
    if (answer === "GONE" && (gone === null || gone.seq > order.toldAt))
      say("lost", "finds it gone, and it is not");
    if (
      answer === "LOCKED" &&
      !given.some((lock) => lock.verb === "lock" && lock.id === id && lock.fate !== "refused")
    )
      say("lockBroken", "finds it locked, and nobody has");
    if (verb === "rerun") checkRerun(order);
    if (verb === "add") checkAddition(order);
    if (verb === "close" && fate === "done") checkClosed(order);
    if (verb === "lock" && fate === "done") checkLock(order);
  }
  checkFate();
  checkEdits();

  /** One life more, or none. */
  function checkRerun({ askedAt, toldAt, fate, id }: Given): void {
    const own = history.filter((entry) => entry.id === rootId);
    const before = own.findLast(({ seq }) => seq <= askedAt)!.origin;
    const after = own.findLast(({ seq }) => seq <= toldAt)!.origin;
    const right = fate === "done" ? after > before : after === before || fate === "unknown";
    if (!right)
      report({
        kind: "halfDone",
        detail: `the rerun of ${id} was ${fate}, and its lives went from ${before} to ${after}`,
      });
  }

  /** All of the items, or none. */
  function checkAddition({ id, keys = [], fate, beat }: Given): void {
    const born = history.filter(
      ({ born: stored, key, role, id: item }) =>
        stored && role === "item" && item.startsWith(`${id}.`) && keys.includes(key ?? ""),
    );
    const right =
      fate === "done"
        ? born.length === keys.length
        : born.length === 0 || (fate === "unknown" && born.length === keys.length);
    if (!right)
      report({
        kind: "partial",
        detail: `${keys.length} items were added to ${id} (beat ${beat}: ${fate}), ${born.length} are there`,
      });
  }

  function checkClosed({ id, toldAt }: Given): void {
    const late = history.find(
      ({ born, role, seq, id: item }) => born && role === "item" && seq > toldAt && item.startsWith(`${id}.`),
    );
    if (late !== undefined)
      report({ kind: "halfDone", detail: `${late.id} was added after ${id} was closed` });
  }

  /** Until it is released or expires, nobody else changes it. What runs may end. */
  function checkLock(lock: Given): void {
    const { id, toldAt, until, story, beat } = lock;
    const release = given.find(
      (other) => other.verb === "release" && other.story === story && other.beat > beat,
    );
    const end = release?.askedAt ?? Number.POSITIVE_INFINITY;
    for (const rival of given) {
      if (rival === lock || rival.id !== id || rival.fate !== "done") continue;
      if (
        !["suspend", "resume", "interrupt", "cancel", "delete", "restore", "purge", "rerun", "lock"].includes(
          rival.verb,
        )
      )
        continue;
      if (rival.askedAt >= toldAt && rival.toldAt < end && rival.now! < until! && isAfter(rival, lock))
        report({ kind: "lockBroken", detail: `${rival.verb} of ${id} was carried out while it was locked` });
    }
    let last: Entry | undefined;
    for (const entry of history) {
      if (entry.id !== id) continue;
      const before = last;
      last = entry;
      if (entry.seq <= toldAt || entry.seq > end || entry.at >= until!) continue;
      const begins = entry.claimed || (before?.status !== "RUNNING" && entry.status === "RUNNING");
      const steered =
        ["SUSPENDED", "INTERRUPTED", "CANCELLED"].includes(entry.status) && entry.status !== before?.status;
      // A worker that is lost while it runs what is locked leaves it to the next.
      if ((begins && before?.status !== "RUNNING") || steered || entry.generation !== before?.generation)
        report({
          kind: "lockBroken",
          detail: `${id} went from ${before?.status} to ${entry.status} while it was locked`,
        });
    }
  }

  /** It is gone when somebody has seen to that, and is there when nobody has. */
  function checkFate(): void {
    const of = (...verbs: string[]): Given[] =>
      given.filter(({ verb, fate }) => verbs.includes(verb) && fate !== "refused");
    const removals = gone?.action === "cancel" ? of("cancel") : of("delete", "purge");
    if (gone !== null && removals.length === 0)
      report({ kind: "lost", detail: `${rootId} is gone by ${gone.action}, which nobody has asked for` });
    for (const order of of("cancel", "purge").filter(({ fate }) => fate === "done")) {
      const { verb, toldAt } = order;
      if (gone === null)
        report({ kind: "halfDone", detail: `the ${verb} of ${rootId} was acknowledged, and it is there` });
      else if (verb === "purge" && gone.seq > toldAt)
        report({ kind: "halfDone", detail: `the purge of ${rootId} was acknowledged before it was gone` });
      else if (verb === "cancel" && gone.action !== "cancel" && gone.seq > toldAt)
        report({
          kind: "halfDone",
          detail: `the cancellation of ${rootId} was acknowledged, and it was ${gone.action}d`,
        });
    }
    const marked = of("delete").findLast(({ fate }) => fate === "done");
    if (gone === null && marked !== undefined) {
      const saved = of("restore", "rerun").some(
        (order) => order.askedAt >= marked.askedAt || overlap(order, marked),
      );
      if (!saved)
        report({
          kind: "halfDone",
          detail: `the deletion of ${rootId} was acknowledged, and it is there, unmarked`,
        });
    }
  }

  /** All parts have an edit or none has; each that was acknowledged, and none that was refused. */
  function checkEdits(): void {
    const edits = given.filter(({ verb }) => verb === "edit");
    if (edits.length === 0) return;
    const marks = new Map<string, number>();
    for (const { what, id, mark } of rows)
      if (
        what === "start" &&
        mark !== undefined &&
        edits[0]!.paths!.some((path) => id === `${rootId}.${path}`)
      )
        marks.set(id!, mark);
    const seen = [...new Set(marks.values())];
    if (seen.length > 1)
      report({ kind: "partial", detail: `parts of ${rootId} have the edits ${seen.join(" and ")}` });
    for (const { mark, fate } of edits) {
      for (const found of seen) {
        if (fate === "done" ? found < mark! : fate === "refused" && found === mark)
          report({
            kind: "halfDone",
            detail: `edit ${mark} of ${rootId} was ${fate}, and ${found} is there`,
          });
      }
    }
  }
}

/** Those of one beat are given at once. */
function isAfter(a: Given, b: Given): boolean {
  return a.beat > b.beat;
}
