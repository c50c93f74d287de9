import { isCallback, isCleanup } from "./ids.ts";
import { isCleanInside, reached } from "./outcome.ts";
import { type Family, NO_FAMILY, type SignatureRecord } from "./record.ts";
import type { Addressed, Signal } from "./signal.ts";
import { isEnded, type Status } from "./status.ts";
import { hasStopped } from "./view.ts";

/**
 * Law 6: whatever is open has a reason to wait. Every commit leaves one behind, so that all of this finds nothing, unless a signal
 * was lost by a bug, or something else has written to the store. What it finds it mends by a signal that decides anew.
 *
 * It looks for what stands still, and for nothing that goes on by itself: a swarm with too few items under way comes right when
 * one of them ends.
 */

/** The signal for what waits for nothing, as its own record says, or null when it has a reason. */
export function restart({
  status,
  kind,
  epoch,
  dueAt,
  workerId,
  readyAt,
  heldBy,
  deletion,
}: SignatureRecord): Signal | null {
  if (status === "WAITING" && dueAt === null) return { type: "due" };
  if (status === "RUNNING" && kind === "task" && workerId === null) return { type: "recover", epoch };
  if (status === "PENDING" && readyAt !== null && heldBy === null && deletion === null)
    return { type: "start" };
  return null;
}

/** True for what keeps others from starting, or is about to let them go on. */
export function holds(holder: SignatureRecord | undefined): boolean {
  if (holder === undefined) return false;
  const { status, sweep, generation } = holder;
  if (status === "SUSPENDED" || hasStopped(holder) || sweep === "unhold" || sweep === "reset") return true;
  // What goes on after it was stopped lets go when it starts, or is skipped.
  const goesOn = status === "PENDING" || status === "WAITING" || (status === "SKIPPED" && sweep === "skip");
  return goesOn && generation > 1;
}

/**
 * What mends a signature that waits for something inside it, of which nothing will come; null when something will. `awaited` is
 * what the store port calls so. `"recount"` says that its counters contradict it: see {@link recount}.
 */
export function remedy(
  record: SignatureRecord,
  awaited: readonly SignatureRecord[],
): Addressed | "recount" | null {
  const own = awaited.filter(({ parentId }) => parentId === record.id);
  if (record.sweep !== null || own.some(({ credited, milestone }) => credited < milestone)) return null;
  const open = own.filter(({ status }) => !isEnded(status));
  const children = open.filter(({ role }) => !isCallback(role));
  // What was stopped waits for those that it has told to stop.
  if (record.status === "CANCELLED") return null;
  if (isEnded(record.status)) return remedyOfEnded(record, children, awaited);
  if (record.status !== "RUNNING" || children.some(hasBegun)) return null;
  return record.kind === "chain" ? remedyOfChain(record, children) : remedyOfSwarm(record, children);
}

/** Nothing of it is under way: it is the turn of the first step that has not ended, which may be suspended. */
function remedyOfChain(
  record: SignatureRecord,
  children: readonly SignatureRecord[],
): Addressed | "recount" | null {
  const { total, succeeded, failed } = record.family!;
  const [first] = children.toSorted((a, b) => a.slot - b.slot);
  if (failed > 0) return available(record);
  if (first === undefined) return succeeded === total ? available(record) : "recount";
  if (first.slot !== succeeded) return "recount";
  return first.status === "PENDING" ? available(record) : null;
}

/** Nothing of it is under way, so that all of its slots are free. */
function remedyOfSwarm(
  record: SignatureRecord,
  children: readonly SignatureRecord[],
): Addressed | "recount" | null {
  const { total, active, succeeded, failed, skipped, open, stopping } = record.family!;
  const ended = succeeded + failed + skipped;
  if (active !== 0 || (ended === total) !== (children.length === 0)) return "recount";
  if (stopping && children.length > 0 && children.every(isLeftOff)) return null;
  if (stopping || children.some(({ status }) => status === "PENDING")) return available(record);
  return ended === total && !open ? available(record) : null;
}

function remedyOfEnded(
  record: SignatureRecord,
  children: readonly SignatureRecord[],
  awaited: readonly SignatureRecord[],
): Addressed | "recount" | null {
  // What was cancelled is never settled: nothing is counted any more but its cleanups.
  const isOver = record.stop !== null;
  const callbacks = awaited.filter(
    ({ parentId, role, status }) => parentId === record.id && isCallback(role) && !isEnded(status),
  );
  if (!isOver && children.some(isOverlooked)) return available(record);
  const forgotten = callbacks.find((callback) => !isCleanup(callback.role) && isUntouched(callback));
  if (!isOver && forgotten !== undefined) return { to: forgotten.id, signal: { type: "start" } };
  if (record.milestone !== reached(record)) return available(record);
  const turn = nextCleanup(callbacks);
  if (turn !== undefined && isUntouched(turn) && cleans(record)) return available(record);
  if (isOver) return null;
  const idle = awaited.every((each) => callbacks.includes(each) && isCleanup(each.role) && isUntouched(each));
  return idle && recount(record, awaited, null) !== null ? "recount" : null;
}

/** True when everything inside has been cleaned up, and cleanups of its own are left. */
function cleans(record: SignatureRecord): boolean {
  const { cleanups, cleanupsEnded } = record.family ?? NO_FAMILY;
  return isCleanInside(record) && cleanupsEnded < cleanups;
}

/** The cleanup whose turn it is: the last registered, the signature's own before those of its swarm for items. */
function nextCleanup(callbacks: readonly SignatureRecord[]): SignatureRecord | undefined {
  return callbacks
    .filter(({ role }) => isCleanup(role))
    .toSorted((a, b) => (a.role === b.role ? b.slot - a.slot : a.role === "cleanup" ? -1 : 1))[0];
}

/**
 * The counters of a signature that nothing is under way in, as they must be, or null when they are so. `counts` are its children by
 * status, null for one that has ended: then nothing but cleanups is open, and everything else inside is settled.
 */
export function recount(
  record: SignatureRecord,
  awaited: readonly SignatureRecord[],
  counts: ReadonlyMap<Status, number> | null,
): Addressed | null {
  const family = record.family ?? NO_FAMILY;
  const count = (status: Status): number => counts?.get(status) ?? 0;
  const counted: Family =
    counts === null
      ? {
          ...family,
          uncleaned: 0,
          unsettled: awaited.length,
          cleanupsEnded: family.cleanups - awaited.length,
        }
      : {
          ...family,
          active: 0,
          succeeded: count("SUCCEEDED"),
          failed: count("FAILED"),
          skipped: count("SKIPPED") + count("CANCELLED"),
        };
  const differs = (Object.keys(family) as (keyof Family)[]).some((name) => family[name] !== counted[name]);
  return differs ? { to: record.id, signal: { type: "recount", family: counted } } : null;
}

/** True for what is to be skipped, as what it stands in has ended, and is not. */
function isOverlooked(child: SignatureRecord): boolean {
  return child.status === "INTERRUPTED" ? !isLeftOff(child) : !hasRun(child);
}

/** True for what was interrupted and is skipped when it has stopped. */
function isLeftOff({ status, stop }: SignatureRecord): boolean {
  return status === "INTERRUPTED" && stop?.resumes === true && !stop.done;
}

function available({ id }: SignatureRecord): Addressed {
  return { to: id, signal: { type: "available" } };
}

/** True once it was told to start, be it that it is held since. */
function hasBegun(record: SignatureRecord): boolean {
  return record.readyAt !== null || hasRun(record);
}

function hasRun({ status, prior, attempt }: SignatureRecord): boolean {
  return status === "RUNNING" || prior === "RUNNING" || attempt > 0;
}

/** True for what nobody has told to start, and nobody has suspended. */
function isUntouched({ status, readyAt }: SignatureRecord): boolean {
  return status === "PENDING" && readyAt === null;
}
