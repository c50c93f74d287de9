import type { PathEntry } from "./errors.ts";
import { isCallback, isCleanup } from "./ids.ts";
import { NO_CALLBACKS, type Callbacks, type Spec } from "./plan.ts";
import type { SignatureRecord } from "./record.ts";

/** What a decider may look at: the time, and records that were loaded before it was asked, ancestors included. */
export interface View {
  /** The store's time, epoch milliseconds. */
  readonly now: number;
  get(id: string): SignatureRecord | undefined;
  spec(record: SignatureRecord): Spec;
}

/** The ancestors of a signature, nearest first. Above a callback stands its owner. */
export function* ancestors(view: Pick<View, "get">, record: SignatureRecord): Generator<SignatureRecord> {
  let at = record;
  while (at.parentId !== null) {
    const parent = view.get(at.parentId);
    if (parent === undefined) return;
    yield parent;
    at = parent;
  }
}

/**
 * The nearest ancestor that keeps a signature from starting, or null: one that is suspended, or one that was stopped, which lets
 * cleanups through.
 */
export function holder(view: View, record: SignatureRecord): string | null {
  let at = record;
  let cleans = false;
  while (at.parentId !== null) {
    cleans ||= isCleanup(at.role);
    const parent = view.get(at.parentId);
    if (parent === undefined) return null;
    if (parent.status === "SUSPENDED" || (!cleans && (hasStopped(parent) || goesOn(parent))))
      return parent.id;
    at = parent;
  }
  return null;
}

/** True for a container that was stopped and waits for its turn to go on. */
function goesOn({ kind, status, generation }: SignatureRecord): boolean {
  return kind !== "task" && generation > 1 && (status === "PENDING" || status === "WAITING");
}

/** True when nothing inside may start any more, cleanups excepted. What had ended before it was cancelled keeps its status. */
export function hasStopped({ status, stop }: SignatureRecord): boolean {
  return status === "INTERRUPTED" || status === "CANCELLED" || stop?.verb === "cancel";
}

/** True for a callback, cleanups among them, and for what is inside one. */
export function isInCallback(view: View, record: SignatureRecord): boolean {
  if (isCallback(record.role)) return true;
  for (const { role } of ancestors(view, record)) if (isCallback(role)) return true;
  return false;
}

/** True for a cleanup and for what is inside one. */
export function isInCleanup(view: View, record: SignatureRecord): boolean {
  if (isCleanup(record.role)) return true;
  for (const { role } of ancestors(view, record)) if (isCleanup(role)) return true;
  return false;
}

/** True for an item that has not run when its swarm is past its limit of failures: it is not started any more. */
export function barred(view: View, record: SignatureRecord): boolean {
  if (record.role !== "item" || record.attempt > 0 || record.parentId === null) return false;
  return view.get(record.parentId)?.family?.stopping === true;
}

/** The path of a signature, root first. */
export function pathOf(view: View, record: SignatureRecord): PathEntry[] {
  const path = [entry(record)];
  for (const ancestor of ancestors(view, record)) path.push(entry(ancestor));
  return path.reverse();
}

function entry({ id, name, kind, slot }: SignatureRecord): PathEntry {
  return { id, name, kind, slot };
}

/** The callbacks that a swarm declares for its items, when the signature is one, and the id of the spec that does. */
export function itemCallbacks(
  view: View,
  record: SignatureRecord,
): { callbacks: Callbacks; declaredBy: string } {
  const parent = record.role === "item" ? view.get(record.parentId!) : undefined;
  if (parent === undefined) return NOT_AN_ITEM;
  const spec = view.spec(parent);
  return spec.kind === "swarm" ? { callbacks: spec.itemCallbacks, declaredBy: parent.spec } : NOT_AN_ITEM;
}

const NOT_AN_ITEM = { callbacks: NO_CALLBACKS, declaredBy: "" };
