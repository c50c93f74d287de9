import type { Callbacks, PlanNode } from "../../../core/plan.ts";
import type { SignatureRecord } from "../../../core/record.ts";
import { hasEnded, type Shadow } from "../shadow.ts";
import type { Invariant, Report } from "./invariant.ts";

/** The edges that an outcome makes, as `role slot`, with the plan behind each. */
function edges(shadow: Shadow, owner: SignatureRecord): Map<string, PlanNode> {
  const due = new Map<string, PlanNode>();
  const add = (role: string, plans: readonly PlanNode[]): void => {
    for (const [slot, plan] of plans.entries()) due.set(`${role} ${slot}`, plan);
  };
  const add3 = (callbacks: Callbacks, success: string, error: string, cleanup: string): void => {
    if (owner.status === "SUCCEEDED") add(success, callbacks.success);
    if (owner.status === "FAILED") add(error, callbacks.error);
    if (owner.status === "SUCCEEDED" || owner.status === "FAILED") add(cleanup, callbacks.cleanup);
  };
  add3(shadow.spec(owner).callbacks, "success", "error", "cleanup");
  const parent = shadow.parent(owner);
  if (owner.role === "item" && parent !== null) {
    const spec = shadow.spec(parent);
    if (spec.kind === "swarm") add3(spec.itemCallbacks, "itemSuccess", "itemError", "itemCleanup");
  }
  return due;
}

/** I3: each callback edge is recorded once per (generation, outcome), in the commit of the outcome, never on the wrong one. */
export const callbacks: Invariant = {
  name: "I3 callbacks",
  check(shadow, { changed }, report) {
    const born = new Map<string, SignatureRecord[]>();
    for (const { before, now } of changed) {
      if (before === null && now.parentId !== null && now.role !== "step" && now.role !== "item") {
        const siblings = born.get(now.parentId);
        if (siblings === undefined) born.set(now.parentId, [now]);
        else siblings.push(now);
      }
    }
    for (const { before, now } of changed) {
      if (!hasEnded(now) || (before !== null && hasEnded(before))) continue;
      recorded(shadow, now, born.get(now.id) ?? [], report);
      born.delete(now.id);
    }
    for (const [owner, late] of born) {
      report(
        `${late[0]!.id} was recorded in a commit in which ${owner} (${shadow.records.get(owner)?.status}) did not end`,
      );
    }
  },
  end(shadow, report) {
    for (const owner of shadow.records.values()) {
      if (hasEnded(owner)) recorded(shadow, owner, shadow.callbacks(owner.id), report);
    }
  },
};

function recorded(
  shadow: Shadow,
  owner: SignatureRecord,
  found: readonly SignatureRecord[],
  report: Report,
): void {
  const due = edges(shadow, owner);
  for (const callback of found) {
    const edge = `${callback.role} ${callback.slot}`;
    const plan = due.get(edge);
    if (plan === undefined)
      report(
        `${owner.id} (${owner.status}) has the callback ${callback.id} once too often, or on the wrong outcome`,
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
    report(`${owner.id} ended ${owner.status} without recording its callback "${edge}"`);
}
