import type { AnyPlan, SignatureView } from "mageflow";
import type { Stored } from "./stored.ts";
import type { Work } from "./tasks.ts";
import type { Violation } from "./violation.ts";

type Callbacks = AnyPlan["spec"]["callbacks"];
type Node = Pick<AnyPlan, "spec" | "bound" | "children">;

const NONE: Callbacks = { success: [], error: [], cleanup: [] };

/**
 * Compares a stored tree with its plan: everything is there once, has the outcome that the plan says, and the callbacks
 * of that outcome and no others. Notes the concurrency of the swarms that it meets in `caps`.
 */
export function checkTree(
  stored: Stored,
  root: SignatureView,
  plan: Node,
  caps: Map<string, number>,
  report: (found: Violation) => void,
): void {
  check(root, plan, NONE, false);

  function check(view: SignatureView, node: Node, itemCallbacks: Callbacks, skipped: boolean): void {
    const { spec } = node;
    const children = stored.children.get(view.id) ?? [];
    const steps = node.children === null ? [] : [...node.children];
    if (view.kind !== spec.kind || view.name !== spec.name || children.length !== steps.length) {
      report({
        kind: "partial",
        detail: `${view.id} is a ${view.kind} "${view.name}" with ${children.length} children, its plan a ${spec.kind} "${spec.name}" with ${steps.length}`,
      });
      return;
    }
    const expected = skipped ? "SKIPPED" : outcome(node);
    if (view.status !== expected) {
      const why = view.error === null ? "" : `: ${view.error.name} ${view.error.message}`;
      report({ kind: "wrongOutcome", detail: `${view.id} is ${view.status}, not ${expected}${why}` });
    }
    checkCallbacks(view, spec.callbacks, itemCallbacks);
    if (spec.kind === "swarm" && spec.concurrency !== null) caps.set(view.id, spec.concurrency);
    const inner = spec.kind === "swarm" ? spec.itemCallbacks : NONE;
    let failed = skipped;
    for (const [slot, step] of steps.entries()) {
      const child = children[slot]!;
      if (child.slot !== slot) report({ kind: "partial", detail: `${view.id} has no child ${slot}` });
      else check(child, step, inner, failed);
      if (spec.kind === "chain" && outcome(step) === "FAILED") failed = true;
    }
  }

  function checkCallbacks(view: SignatureView, own: Callbacks, item: Callbacks): void {
    const wanted = new Map<string, Node>();
    const want = (role: string, plans: readonly Node[]): void => {
      for (const [slot, callback] of plans.entries()) wanted.set(`${role} ${slot}`, callback);
    };
    if (view.status === "SUCCEEDED") want("success", own.success);
    if (view.status === "SUCCEEDED") want("itemSuccess", item.success);
    if (view.status === "FAILED") want("error", own.error);
    if (view.status === "FAILED") want("itemError", item.error);
    if (view.status !== "SKIPPED") want("cleanup", own.cleanup);
    if (view.status !== "SKIPPED") want("itemCleanup", item.cleanup);
    for (const callback of stored.callbacks.get(view.id) ?? []) {
      const place = `${callback.role} ${callback.slot}`;
      const node = wanted.get(place);
      if (node === undefined) {
        report({
          kind: "duplicateCallbacks",
          detail: `${callback.id} is one too many, or of another outcome than ${view.status}`,
        });
      } else {
        wanted.delete(place);
        check(callback, node, NONE, false);
      }
    }
    for (const place of wanted.keys())
      report({ kind: "duplicateCallbacks", detail: `${view.id} is ${view.status} without its ${place}` });
  }
}

/** What a plan comes to when every crash is survived. */
function outcome({ spec, bound, children }: Node): "SUCCEEDED" | "FAILED" {
  if (spec.kind === "task") {
    const { fatal = false, flaky = 0 } = JSON.parse(bound ?? "{}") as Work;
    if (spec.name === "note") return "SUCCEEDED";
    return fatal || flaky >= spec.retry.attempts ? "FAILED" : "SUCCEEDED";
  }
  const failed = [...children!].filter((child) => outcome(child) === "FAILED").length;
  if (spec.kind === "chain") return failed > 0 ? "FAILED" : "SUCCEEDED";
  return failed > 0 && failed === [...children!].length ? "FAILED" : "SUCCEEDED";
}
