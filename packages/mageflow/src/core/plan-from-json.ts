import type { PlanNode } from "./plan.ts";
import { ContainerPlan, type Plan, TaskPlan } from "./plans.ts";

/** The plan again that was written by `JSON.stringify`. What stands in it stays data, as it is where plans are stored. */
export function planFromJson(text: string): Plan<unknown, unknown, unknown> {
  const { children, ...parts } = JSON.parse(text) as PlanNode;
  return children === null ? new TaskPlan(parts) : new ContainerPlan(parts, children);
}
