import { IllegalTransitionError } from "./errors.ts";
import { isGuarded, removeAfterLock } from "./lock.ts";
import { type Deletion, isCancelled, isSettled, type SignatureRecord } from "./record.ts";
import { type Decision, type Signal, unchanged } from "./signal.ts";
import type { View } from "./view.ts";

/**
 * Delayed deletion. The mark is an axis of its own: a marked tree that has started goes on to its end, one that has not waits for
 * `restore` or `rerun`. It is removed when its time has come and nothing of it is open.
 */

/** @throws IllegalTransitionError (`ILLEGAL_TRANSITION`) for what is inside another signature, and for what is cancelled. */
export function mark(
  view: View,
  record: SignatureRecord,
  order: Extract<Signal, { type: "delete" }>,
): Decision {
  requireRoot(record, "delete");
  if (record.deletion !== null) return unchanged(record);
  const { purgeAt, by, reason, stub = false } = order;
  const { generation } = record;
  return unchanged({
    ...record,
    deletion: { markedAt: view.now, purgeAt, action: "delete", by, reason, generation, stub, purged: false },
  });
}

/** Takes the mark away. What had not started although it was to, starts now. */
export function restore(record: SignatureRecord): Decision {
  requireRoot(record, "restore");
  if (record.deletion === null) return unchanged(record);
  const restored = unchanged({ ...record, deletion: null });
  return record.status === "PENDING" && record.readyAt !== null
    ? { ...restored, send: [{ to: record.id, signal: { type: "start" } }] }
    : restored;
}

/** @throws IllegalTransitionError (`ILLEGAL_TRANSITION`) for what is not marked. */
export function extend(record: SignatureRecord, purgeAt: number): Decision {
  requireRoot(record, "extend the deletion of");
  if (record.deletion === null) {
    throw new IllegalTransitionError(
      record.id,
      "extend the deletion of",
      record.status,
      "it is not marked for deletion",
    );
  }
  const { generation } = record;
  return unchanged({ ...record, deletion: { ...record.deletion, purgeAt, generation } });
}

/** True when a marked tree may be removed: its time has come, and nothing of it is open, or nothing of it ever started. */
export function isPurgeable(record: SignatureRecord, now: number): boolean {
  const { deletion, generation } = record;
  if (deletion === null || deletion.purgeAt > now || deletion.generation !== generation) return false;
  return !isGuarded(record, now) && isClosed(record);
}

/** True when nothing of a tree is open, or nothing of it ever started. */
export function isClosed(record: SignatureRecord): boolean {
  const { startedAt, status, stop } = record;
  return isSettled(record) || (startedAt === null && status !== "RUNNING" && stop === null);
}

/** What was cancelled, as it is when it is removed at once, whatever has become of its cleanups. Who cancelled it, and why, stays what is told. */
export function abandoned(record: SignatureRecord, now: number): SignatureRecord {
  const { stop, generation } = record;
  const { actor: by, reason } = stop!;
  const at = { markedAt: now, purgeAt: now, generation };
  return { ...record, deletion: { ...at, action: "cancel", by, reason, stub: false, purged: false } };
}

/** A tree that is due and locked, or holds something that is, waits for the end of the lock; one that is still open gets its whole time again, from now on. */
export function rearmed(record: SignatureRecord, now: number): SignatureRecord {
  if (isGuarded(record, now)) return removeAfterLock(record);
  const deletion = record.deletion!;
  const span = Math.max(LEAST_SPAN_MS, deletion.purgeAt - deletion.markedAt);
  return {
    ...record,
    deletion: { ...deletion, markedAt: now, purgeAt: now + span, generation: record.generation },
  };
}

/** So that a tree that was marked for at once is not asked again at once. */
const LEAST_SPAN_MS = 1_000;

/** @throws IllegalTransitionError (`ILLEGAL_TRANSITION`) for what is inside another signature, and for what is cancelled. */
export function requireRoot(record: SignatureRecord, verb: string): void {
  const { id, role, rootId, status } = record;
  if (role !== "root") {
    const hint = `that is done to a workflow as a whole, by its root "${rootId}"`;
    throw new IllegalTransitionError(id, verb, status, hint);
  }
  if (isCancelled(record)) throw new IllegalTransitionError(id, verb, status, "it is being removed");
}

/**
 * A root that settles and is not kept is marked in the same commit: by its retention, or, when it was cancelled, at once and whatever
 * mark it had.
 */
export function retained(view: View, before: SignatureRecord, decision: Decision): Decision {
  const { record } = decision;
  if (record.role !== "root" || !isSettled(record)) return decision;
  const cancelled = isCancelled(record);
  if (cancelled ? before.stop?.done === true && isCancelled(before) : settledBefore(before, record))
    return decision;
  const kept = cancelled ? 0 : keptFor(view, record);
  if (kept === null) return decision;
  const deletion: Deletion = {
    markedAt: view.now,
    purgeAt: view.now + kept,
    action: cancelled ? "cancel" : "retention",
    by: record.stop?.actor ?? "its retention",
    reason: record.stop?.reason ?? null,
    generation: record.generation,
    stub: !cancelled && view.spec(record).retain?.stub === true,
    purged: false,
  };
  return { ...decision, record: { ...record, deletion } };
}

/** What was settled already keeps the mark that it has, or that was taken away. */
function settledBefore(before: SignatureRecord, { generation, deletion }: SignatureRecord): boolean {
  return deletion !== null || (isSettled(before) && before.generation === generation);
}

function keptFor(view: View, record: SignatureRecord): number | null {
  const { retain } = view.spec(record);
  if (record.status === "SUCCEEDED") return retain?.succeeded ?? null;
  return record.status === "FAILED" || record.status === "SKIPPED" ? (retain?.failed ?? null) : null;
}
