import type { Callbacks, PlanNode } from "../../../core/plan.ts";
import type { SignatureRecord } from "../../../core/record.ts";
import { type Ending, generationOf, hasEnded, isTwin, type Shadow } from "../shadow.ts";
import type { Invariant, Report } from "./invariant.ts";

/** The edges that the end of a generation makes, as `role slot`, with the plan behind each. */
function edges(shadow: Shadow, owner: SignatureRecord, { status, reached }: Ending): Map<string, PlanNode> {
  const due = new Map<string, PlanNode>();
  const add = (role: string, plans: readonly PlanNode[]): void => {
    for (const [slot, plan] of plans.entries()) due.set(`${role} ${slot}`, plan);
  };
  const add3 = (callbacks: Callbacks, success: string, error: string, cleanup: string): void => {
    if (status === "SUCCEEDED") add(success, callbacks.success);
    if (status === "FAILED") add(error, callbacks.error);
    if (status !== "SKIPPED" && reached) add(cleanup, callbacks.cleanup);
  };
  add3(shadow.spec(owner).callbacks, "success", "error", "cleanup");
  const parent = shadow.parent(owner);
  if (owner.role === "item" && parent !== null) {
    const spec = shadow.spec(parent);
    if (spec.kind === "swarm") add3(spec.itemCallbacks, "itemSuccess", "itemError", "itemCleanup");
  }
  return due;
}

/**
 * I3: each callback edge is recorded once per (generation, outcome), in the commit of the outcome, never on the wrong one. What is
 * interrupted or cancelled has cleanups and no other callbacks.
 */
export const callbacks: Invariant = {
  name: "I3 callbacks",
  check(shadow, { changed }, report) {
    const born = new Map<string, SignatureRecord[]>();
    for (const { before, now } of changed) {
      if (before === null && now.parentId !== null && isEdge(now)) {
        const siblings = born.get(now.parentId);
        if (siblings === undefined) born.set(now.parentId, [now]);
        else siblings.push(now);
      }
    }
    for (const { before, now } of changed) {
      // Generations that came to their end in this commit, those that came and went within it among them.
      for (let generation = before?.generation ?? 1; generation <= now.generation; generation++) {
        const stopped = before?.status === "INTERRUPTED" || before === null || hasEnded(before);
        if (stopped && before?.generation === generation) continue;
        const ending = shadow.endings.get(`${now.id} ${generation}`);
        if (ending === undefined) continue;
        const [own, others] = split(born.get(now.id) ?? [], generation);
        recorded(shadow, now, ending, own, report);
        born.set(now.id, others);
      }
    }
    for (const [owner, late] of born) {
      if (late.length > 0)
        report(
          `${late[0]!.id} was recorded in a commit in which ${owner} (${shadow.records.get(owner)?.status}) did not end`,
        );
    }
  },
  end(shadow, report) {
    for (const owner of shadow.records.values()) {
      for (let generation = 1; generation <= owner.generation; generation++) {
        const ending = shadow.endings.get(`${owner.id} ${generation}`);
        const [own] = split(shadow.callbacks(owner.id), generation);
        if (ending !== undefined) recorded(shadow, owner, ending, own.filter(isEdge), report);
        else if (own.length > 0) report(`${own[0]!.id} follows an end that ${owner.id} did not come to`);
      }
    }
  },
};

/** True for what the end of its owner makes; what a task registers while it runs is there before. */
function isEdge(record: SignatureRecord): boolean {
  return record.role !== "step" && record.role !== "item" && !isTwin(record);
}

/** Callbacks of a generation, and the others. */
function split(
  callbacks: readonly SignatureRecord[],
  generation: number,
): [own: SignatureRecord[], others: SignatureRecord[]] {
  const own = callbacks.filter((callback) => generationOf(callback) === generation);
  return [own, callbacks.filter((callback) => !own.includes(callback))];
}

function recorded(
  shadow: Shadow,
  owner: SignatureRecord,
  ending: Ending,
  found: readonly SignatureRecord[],
  report: Report,
): void {
  const due = edges(shadow, owner, ending);
  for (const callback of found) {
    const edge = `${callback.role} ${callback.slot}`;
    const plan = due.get(edge);
    if (plan === undefined)
      report(
        `${owner.id} (${ending.status}) has the callback ${callback.id} once too often, or on the wrong outcome`,
      );
    else if (plan.spec.name !== callback.name)
      report(`${callback.id} is "${callback.name}", not "${plan.spec.name}"`);
    else if (callback.kind !== "task") {
      const inside = shadow.children(callback.id).length;
      if (inside < [...(plan.children ?? [])].length)
        report(`${callback.id} was recorded with ${inside} children`);
    }
    due.delete(edge);
  }
  for (const edge of due.keys())
    report(`${owner.id} ended ${ending.status} without recording its callback "${edge}"`);
}
