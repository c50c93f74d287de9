import { InvalidPlanError } from "./errors.ts";
import type { PlanNode, Spec } from "./plan.ts";

/**
 * Deepest nesting of a plan: containers and callbacks that stand around one task. Every level is one more commit on the way up and down and
 * one more part of every id and path, and what is attached is stored with each level that it is attached under.
 */
export const MAX_PLAN_DEPTH = 100;

/** More plans do not fit into the one text that a spec with its callbacks is stored as. */
const MOST_ATTACHED = 10_000;

/**
 * `depth` is what stands around the plan.
 *
 * @throws InvalidPlanError (`INVALID_PLAN`) beyond {@link MAX_PLAN_DEPTH}.
 */
export function requireDepth({ kind, name }: Spec, depth: number): void {
  if (depth + (kind === "task" ? 0 : 1) <= MAX_PLAN_DEPTH) return;
  throw new InvalidPlanError(
    `"${name}" nests containers and callbacks deeper than ${MAX_PLAN_DEPTH}; flatten the plan`,
  );
}

/**
 * Looks into the callbacks of a plan before they are written as one text, which takes as much stack as they are deep, and as much time as
 * they have plans, however often the same one.
 *
 * @throws InvalidPlanError (`INVALID_PLAN`) for what is nested beyond {@link MAX_PLAN_DEPTH}, and for more plans than fit.
 */
export function requireShallow(top: Spec, depth: number): void {
  let left = MOST_ATTACHED;
  const look = (spec: Spec, around: number): void => {
    requireDepth(spec, around);
    for (const plan of attached(spec)) enter(plan, around + 1);
  };
  const enter = (plan: PlanNode, around: number): void => {
    // What is no plan is refused when it is expanded.
    if (plan?.spec === undefined) return;
    if (left-- === 0) {
      throw new InvalidPlanError(
        `"${top.name}" has more than ${MOST_ATTACHED} plans in its callbacks; start large callbacks from inside a small one`,
      );
    }
    look(plan.spec, around);
    for (const child of plan.children ?? []) enter(child, around + 1);
  };
  look(top, depth);
}

function attached(spec: Spec): PlanNode[] {
  const callbacks = spec.kind === "swarm" ? [spec.callbacks, spec.itemCallbacks] : [spec.callbacks];
  return callbacks.flatMap(({ success, error, cleanup }) => [...success, ...error, ...cleanup]);
}
