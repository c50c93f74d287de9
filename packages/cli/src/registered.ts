import type { AnyPlan, MageFlow } from "mageflow";
import { commandLine, type Given } from "./command-line.ts";
import { CommandError } from "./exit-codes.ts";

/** Names that a message lists. */
const LISTED = 5;

/**
 * A module with two instances of MageFlow exports one and takes the tasks from the other; its run would wait for ever.
 *
 * @throws CommandError (`UNKNOWN_TASK`) when a task of the plan is not registered on `mage`.
 */
export function requireRegistered(mage: MageFlow, plan: AnyPlan, file: string, given: Given): void {
  const known = new Set(mage.tasks);
  const unknown = [...taskNames(plan)].filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  const names = unknown.slice(0, LISTED).map((name) => `"${name}"`);
  const more = unknown.length > LISTED ? ` and ${unknown.length - LISTED} more` : "";
  throw new CommandError(
    "UNKNOWN_TASK",
    `the plan of ${file} has tasks that are not registered on the \`mage\` that it exports: ${names.join(", ")}${more}`,
    "make one MageFlow, export it and register all tasks on it; or, when workers elsewhere run them: " +
      commandLine(["run", file, "--no-worker"], given),
  );
}

/**
 * Names of the tasks of a plan, of its callbacks and of theirs. Items that a function yields are left out: they may be very many, and
 * the function need not yield them twice.
 */
function taskNames(plan: AnyPlan): Set<string> {
  const names = new Set<string>();
  const visit = (node: AnyPlan): void => {
    const { spec } = node;
    if (spec.kind === "task") names.add(spec.name);
    const attached = spec.kind === "swarm" ? [spec.callbacks, spec.itemCallbacks] : [spec.callbacks];
    for (const { success, error, cleanup } of attached) visitAll([...success, ...error, ...cleanup]);
    if (Array.isArray(node.children)) visitAll(node.children as readonly AnyPlan[]);
  };
  const visitAll = (nodes: readonly AnyPlan[]): void => {
    for (const node of nodes) visit(node);
  };
  visit(plan);
  return names;
}
