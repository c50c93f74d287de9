/**
 * Ids are paths: a root has an opaque id, and everything under it appends the place it holds there. A child's id
 * is therefore known before it is stored, and creating it twice meets the same primary key.
 *
 * `01jd….2.17` is item 17 of step 2; `01jd….2.success0` is the first success callback of step 2. Callbacks are born
 * once per generation, so later generations add theirs: `01jd….2.success0g2`.
 */

/** What a signature is to its parent: its place in a container, or a callback of its owner. */
export const ROLES = [
  "root",
  "step",
  "item",
  "success",
  "error",
  "cleanup",
  "itemSuccess",
  "itemError",
  "itemCleanup",
] as const;
export type Role = (typeof ROLES)[number];

/** Roles of callbacks; the `item…` ones are declared once on a swarm and fire for each of its items. */
export type CallbackRole = Exclude<Role, "root" | "step" | "item">;

export function childId(parent: string, slot: number): string {
  return `${parent}.${slot}`;
}

export function callbackId(owner: string, role: CallbackRole, slot: number, generation: number): string {
  return `${owner}.${role}${slot}${generation > 1 ? `g${generation}` : ""}`;
}

/** What stands around it: an id has a part for each, and one for itself below the root. */
export function depthOf(id: string): number {
  return id.split(".").length - 1;
}

/** Ids of what it stands in, its root's last. Above a callback stands its owner. */
export function above(id: string): string[] {
  const ids: string[] = [];
  for (let dot = id.lastIndexOf("."); dot > 0; dot = id.lastIndexOf(".", dot - 1)) ids.push(id.slice(0, dot));
  return ids;
}

/** The root of the workflow that it is in. */
export function rootOf(id: string): string {
  return id.split(".", 1)[0]!;
}

export function isCallback(role: Role): role is CallbackRole {
  return role !== "root" && role !== "step" && role !== "item";
}

/** True for a cleanup of something inside `above`, and for everything inside such a cleanup. */
export function standsInCleanup(id: string, above: string): boolean {
  return CLEANUP.test(id.slice(above.length));
}

/** Id of the innermost cleanup that something is or stands in, or null. */
export function cleanupAround(id: string): string | null {
  return INNERMOST_CLEANUP.exec(id)?.[0] ?? null;
}

/** True for what is in no callback: steps and items, at any depth. */
export function standsInPlan(id: string): boolean {
  return !CALLBACK.test(id);
}

const CALLBACK = /\.[a-z]/i;
const INNERMOST_CLEANUP = /^.*\.(?:cleanup|itemCleanup)\d+(?:g\d+)?/;
const CLEANUP = /\.(?:cleanup|itemCleanup)\d/;

export function isCleanup(role: Role): boolean {
  return role === "cleanup" || role === "itemCleanup";
}
