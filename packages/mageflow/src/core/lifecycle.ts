import { AlreadyRunningError, IllegalTransitionError } from "./errors.ts";
import { continued, reopened } from "./generation.ts";
import { isLocked, startAfterLock } from "./lock.ts";
import { isCancelled, type SignatureRecord } from "./record.ts";
import { type Addressed, type Decision, unchanged } from "./signal.ts";
import { spread } from "./spread.ts";
import { isEnded } from "./status.ts";
import { holder, type View } from "./view.ts";

/** What every kind does alike: being admitted, held, delayed, suspended and resumed. */

/** Whether a signature may start now. `record` is what it is when it may not, `dueAt` the time it was to wait for when it may. */
export type Admission =
  | { readonly go: true; readonly dueAt: number | null }
  | { readonly go: false; readonly record: SignatureRecord };

/**
 * Admits a PENDING signature. A suspended ancestor holds it where it is, a start time in the future makes it WAITING, else its
 * kind decides what starting means. Anything that is not PENDING stays as it is.
 */
export function admit(view: View, record: SignatureRecord): Admission {
  if (record.status !== "PENDING") {
    // A root that is started while it is suspended begins when it is resumed.
    const begins = record.status === "SUSPENDED" && record.readyAt === null && record.role === "root";
    return { go: false, record: begins ? { ...record, readyAt: view.now } : record };
  }
  const readyAt = record.readyAt ?? view.now;
  // What is marked for deletion before it has started, starts when the mark is taken away.
  if (record.deletion !== null && record.startedAt === null)
    return { go: false, record: { ...record, readyAt } };
  const heldBy = holder(view, record);
  if (heldBy !== null) return { go: false, record: { ...record, readyAt, heldBy } };
  const dueAt = record.dueAt ?? startTime(view, record);
  const told = { ...record, readyAt, heldBy: null };
  if (dueAt !== null && dueAt > view.now) return { go: false, record: { ...told, status: "WAITING", dueAt } };
  // A lock is waited for after its own time, which releasing the lock must not bring forward.
  return isLocked(record, view.now) ? { go: false, record: startAfterLock(told) } : { go: true, dueAt };
}

/** The instant that delay, start time and stagger give, or null when none is set. */
function startTime(view: View, record: SignatureRecord): number | null {
  const { at, delay, stagger } = view.spec(record);
  if (at === null && delay === 0 && stagger === 0) return null;
  return Math.max(at ?? 0, view.now + delay) + Math.floor(stagger * spread(record.id));
}

/** A WAITING signature whose time has come, or that has none to wait for, is PENDING again, and can be admitted. */
export function ripen(view: View, record: SignatureRecord): SignatureRecord {
  const ripe = record.dueAt === null || record.dueAt <= view.now;
  return record.status === "WAITING" && ripe ? { ...record, status: "PENDING" } : record;
}

/**
 * Suspends a signature: what has not started does not start, what runs inside it ends. A started item gives its slot
 * back. Suspending again is a no-op.
 *
 * @throws AlreadyRunningError (`ALREADY_RUNNING`) for a task that a worker runs.
 * @throws IllegalTransitionError (`ILLEGAL_TRANSITION`) for what has ended.
 */
export function suspend(record: SignatureRecord): Decision {
  const { id, status } = record;
  if (status === "SUSPENDED") return unchanged(record);
  if (isEnded(status) || status === "INTERRUPTED" || record.stop !== null) {
    throw new IllegalTransitionError(id, "suspend", status, "only what has not ended can be suspended");
  }
  if (status === "RUNNING" && record.kind === "task") throw new AlreadyRunningError(id);
  // What has not been reset yet is when it starts again: until then nothing in it is of this generation.
  const resets = record.sweep === "reset";
  const prior = status === "RUNNING" && !resets ? "RUNNING" : "PENDING";
  // Between two attempts an item keeps its slot, and goes on by itself.
  const frees =
    prior === "PENDING" && record.role === "item" && record.readyAt !== null && record.attempt === 0;
  const send: Addressed[] = frees ? [{ to: record.parentId!, signal: { type: "released" } }] : [];
  const readyAt = frees ? null : record.readyAt;
  const startedAt = resets ? null : record.startedAt;
  return {
    ...unchanged({ ...record, status: "SUSPENDED", prior, heldBy: null, readyAt, startedAt, sweep: null }),
    send,
  };
}

/**
 * Lifts a suspension. A container goes on where it stopped, and releases what it held; what had not started is started
 * again by whoever's turn it is to do so, and a root that never started is started. Resuming what is not suspended is a no-op.
 *
 * What was interrupted goes on in its next generation, when it has stopped.
 *
 * @throws IllegalTransitionError (`ILLEGAL_TRANSITION`) for what has ended or is cancelled.
 */
export function resume(record: SignatureRecord): Decision {
  const { id, status } = record;
  if (isCancelled(record)) throw new IllegalTransitionError(id, "resume", status, "it was cancelled");
  if (isEnded(status)) {
    throw new IllegalTransitionError(id, "resume", status, "only what is suspended can be resumed");
  }
  if (status === "INTERRUPTED" || record.stop !== null) {
    return status === "INTERRUPTED" && record.stop!.done
      ? continued(record)
      : unchanged({ ...record, stop: { ...record.stop!, resumes: true } });
  }
  if (status !== "SUSPENDED") return unchanged(record);
  const sweep = record.kind === "task" ? null : "unhold";
  const next: SignatureRecord = { ...record, status: record.prior ?? "PENDING", prior: null, sweep };
  const send: Addressed[] = [];
  if (next.status === "RUNNING") return unchanged(next);
  if (next.readyAt !== null || next.role === "root") send.push({ to: id, signal: { type: "start" } });
  else if (next.parentId !== null) send.push({ to: next.parentId, signal: { type: "available" } });
  return { ...unchanged(next), send };
}

/** An interrupted signature whose container goes on goes on too; one that was interrupted by itself stays as it is. */
export function goOn(record: SignatureRecord): Decision {
  return record.heldBy === null ? unchanged(record) : resume(record);
}

/**
 * Whether something that was interrupted may be skipped now. While it is still stopping it may not; it then goes on as far as to find
 * that its turn has passed.
 */
export function leaveOff(record: SignatureRecord): { now: boolean; record: SignatureRecord } {
  const stop = record.stop!;
  return stop.done
    ? { now: true, record: reopened(record) }
    : { now: false, record: { ...record, stop: { ...stop, resumes: true } } };
}
