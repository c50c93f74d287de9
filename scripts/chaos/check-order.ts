import type { SignatureView } from "mageflow";
import type { Row } from "./ledger.ts";
import type { Stored } from "./stored.ts";
import type { Violation } from "./violation.ts";

/**
 * A step begins after the one before it has ended, with its result; callbacks are told of the outcome that they follow;
 * a launch that is repeated finds the first; a journal has no gap and ends everything once.
 */
export function checkOrder(rows: readonly Row[], stored: Stored, report: (found: Violation) => void): void {
  const starts = new Map<string, number>();
  const ends = new Map<string, number>();
  for (const [at, { what, id, epoch }] of rows.entries()) {
    if (what === "start" && !starts.has(id!)) starts.set(id!, at);
    if (what === "end" && stored.results.get(id!)?.epoch === epoch) ends.set(id!, at);
  }
  for (const [parentId, children] of stored.children) {
    if (stored.views.get(parentId)!.kind !== "chain") continue;
    for (const [slot, step] of children.entries()) {
      const before = children[slot - 1];
      if (before?.kind !== "task" || step.kind !== "task" || !starts.has(step.id)) continue;
      const ended = ends.get(before.id);
      if (ended === undefined || ended > starts.get(step.id)!)
        report({ kind: "outOfOrder", detail: `${step.id} began before ${before.id} had ended` });
    }
  }
  for (const { what, id, gotBy, gotEpoch, cause, step } of rows) {
    const view = id === undefined ? undefined : stored.views.get(id);
    if (view === undefined) continue;
    if (what === "start") checkInput(view, gotBy, gotEpoch);
    if (what === "start" && cause !== undefined) checkCause(view, cause);
    if (what === "launched" && !stored.views.has(step!))
      report({ kind: "lost", detail: `${id} has launched ${step}, which is not stored` });
  }
  const launched = Map.groupBy(
    rows.filter(({ what }) => what === "launched"),
    ({ id }) => id!,
  );
  for (const [id, told] of launched) {
    const children = new Set(told.map(({ step }) => step));
    if (children.size > 1)
      report({ kind: "partial", detail: `${id} has launched ${[...children].join(" and ")}` });
  }
  for (const [rootId, events] of stored.journals) {
    const ended = new Set<string>();
    for (const [i, { seq, id, type }] of events.entries()) {
      if (seq !== i + 1)
        report({ kind: "journal", detail: `entry ${i + 1} of ${rootId} has the number ${seq}` });
      if (type !== "succeeded" && type !== "failed" && type !== "skipped") continue;
      if (ended.has(id)) {
        const role = stored.views.get(id)?.role;
        const callback = role !== "root" && role !== "step" && role !== "item";
        report({ kind: callback ? "duplicateCallbacks" : "journal", detail: `${id} has ended twice` });
      }
      ended.add(id);
    }
  }

  function checkInput(view: SignatureView, gotBy: string | undefined, gotEpoch: number | undefined): void {
    if (gotBy === undefined) return;
    const made = stored.results.get(gotBy);
    if (made === undefined || made.epoch !== gotEpoch) {
      report({
        kind: "outOfOrder",
        detail: `${view.id} got the result of epoch ${gotEpoch} of ${gotBy}, which is of epoch ${made?.epoch}`,
      });
    }
  }

  function checkCause(view: SignatureView, cause: { id: string; outcome: string }): void {
    const owner = stored.views.get(cause.id);
    const outcome = owner?.status === "SUCCEEDED" ? "success" : "error";
    if (owner === undefined || !view.id.startsWith(`${cause.id}.`) || cause.outcome !== outcome) {
      report({
        kind: "duplicateCallbacks",
        detail: `${view.id} follows the ${cause.outcome} of ${cause.id}, which is ${owner?.status}`,
      });
    }
  }
}
