import { describeThrown, LeaseLostError, SupersededError, TimeoutError } from "./errors.ts";
import { renewed } from "./generation.ts";
import { halt, halted, hasten, stopped } from "./halt.ts";
import { isCleanup } from "./ids.ts";
import { isLocked, startAfterLock } from "./lock.ts";
import { admit, goOn, leaveOff, resume, ripen, suspend } from "./lifecycle.ts";
import { conclude, credited, failure, proceed } from "./outcome.ts";
import type { TaskSpec } from "./plan.ts";
import type { SignatureRecord } from "./record.ts";
import { AT_ONCE, parking, type Recovery } from "./recovery.ts";
import { backoffMs } from "./retry.ts";
import { type AttemptOutcome, type Decision, type Signal, unchanged } from "./signal.ts";
import { isEnded } from "./status.ts";
import { attach } from "./twin.ts";
import { barred, holder, type View } from "./view.ts";

/** Decides for one task. */
export function decideTask(view: View, record: SignatureRecord, signal: Signal): Decision {
  switch (signal.type) {
    case "start":
      return record.status === "INTERRUPTED" ? goOn(record) : start(view, record);
    case "due":
      return due(view, record);
    case "claim":
      return claim(view, record, signal.workerId);
    case "finish":
      return owns(record, signal.epoch) ? finish(view, record, signal.outcome) : unchanged(record);
    case "attach":
      return owns(record, signal.epoch) ? attach(record) : unchanged(record);
    case "release":
      return owns(record, signal.epoch) ? release(view, record) : unchanged(record);
    case "recover":
      return owns(record, signal.epoch) ? recover(view, record, signal.how) : unchanged(record);
    case "skip":
      return skip(view, record);
    case "credit":
      return proceed(view, { ...record, family: credited(record, signal.credits) });
    case "recount":
      return proceed(view, { ...record, family: signal.family });
    case "suspend":
      return suspend(record);
    case "resume":
      return resume(record);
    case "halt":
      return halt(view, record, signal);
    case "hasten":
      return hasten(view, record, signal.until);
    case "halted":
      return halted(view, record, signal);
    case "reset":
      return isEnded(record.status) ? unchanged(renewed(record)) : unchanged(record);
    case "available":
      return proceed(view, record);
    default:
      return unchanged(record);
  }
}

/** The fence: a worker's word counts while it holds the lease, that is while nobody has claimed or released since. */
export function owns(record: SignatureRecord, epoch: number): boolean {
  return record.status === "RUNNING" && record.epoch === epoch;
}

/** Why a worker that took `held` has to leave it, which is `now` what it has become, as far as that is known. */
export function loss(held: SignatureRecord, now: SignatureRecord | undefined): LeaseLostError {
  const { id, epoch, generation } = held;
  const superseded = now !== undefined && (now.epoch !== epoch || now.generation !== generation);
  return superseded ? new SupersededError(id, epoch, now.epoch) : new LeaseLostError(id, epoch);
}

function start(view: View, record: SignatureRecord): Decision {
  const admission = admit(view, record);
  if (!admission.go) return unchanged(admission.record);
  const { dueAt } = admission;
  // A cleanup's turn is after all that became ready in the same instant, its owner's other callbacks among them.
  const readyAt = isCleanup(record.role) ? view.now + 1 : view.now;
  return unchanged({ ...record, status: "READY", heldBy: null, dueAt, readyAt });
}

function skip(view: View, record: SignatureRecord): Decision {
  if (record.status === "INTERRUPTED") {
    const left = leaveOff(record);
    return left.now ? conclude(view, left.record, { status: "SKIPPED" }) : unchanged(left.record);
  }
  return isEnded(record.status) || record.status === "RUNNING" || record.attempt > 0
    ? unchanged(record)
    : conclude(view, record, { status: "SKIPPED" });
}

function release(view: View, record: SignatureRecord): Decision {
  if (record.stop !== null) return stopped(view, record);
  const epoch = record.epoch + 1;
  return unchanged({ ...record, status: "READY", workerId: null, epoch, readyAt: view.now });
}

/** A retry or a delay whose time has come, or a deadline that passed before a worker took the task again. */
function due(view: View, record: SignatureRecord): Decision {
  if (record.status === "RUNNING") {
    // Code that has had its grace is fenced off, whatever its worker says or does not say.
    const over = record.stop !== null && record.stop.until <= view.now;
    return over ? stopped(view, record, false) : unchanged(record);
  }
  if ((record.status === "READY" || record.status === "WAITING") && late(view, record)) {
    // A suspended container stops the clock: whether the deadline has passed is asked again when it is resumed.
    const heldBy = holder(view, record);
    return heldBy === null ? expire(view, record) : unchanged({ ...record, status: "PENDING", heldBy });
  }
  const ripe = ripen(view, record);
  return ripe === record ? unchanged(record) : start(view, ripe);
}

function late(view: View, record: SignatureRecord): boolean {
  return record.deadlineAt !== null && record.deadlineAt <= view.now;
}

function expire(view: View, record: SignatureRecord): Decision {
  const { totalTimeout } = spec(view, record);
  const cause = describeThrown(
    new TimeoutError(`"${record.name}" did not end within its totalTimeout of ${totalTimeout} ms`),
  );
  return conclude(view, record, { status: "FAILED", error: failure(view, record, cause) });
}

/** The one place where task code is let run. Checks once more what may have changed since the task became ready. */
function claim(view: View, record: SignatureRecord, workerId: string): Decision {
  if (record.status !== "READY" || view.get(record.rootId)?.deletion?.purged === true)
    return unchanged(record);
  const heldBy = holder(view, record);
  if (heldBy !== null) return unchanged({ ...record, status: "PENDING", heldBy });
  if (late(view, record)) return expire(view, record);
  // As when it is admitted: it may have been marked for deletion, or locked, since.
  if (record.deletion !== null && record.startedAt === null)
    return unchanged({ ...record, status: "PENDING" });
  if (isLocked(record, view.now)) return unchanged(startAfterLock(record));
  if (barred(view, record)) return conclude(view, record, { status: "SKIPPED" });
  // The clock starts with the first attempt: waiting for a free worker is not the task's time.
  const { totalTimeout } = spec(view, record);
  const deadlineAt = record.deadlineAt ?? (totalTimeout === null ? null : view.now + totalTimeout);
  return unchanged({
    ...record,
    status: "RUNNING",
    workerId,
    epoch: record.epoch + 1,
    attempt: Math.max(1, record.attempt),
    startedAt: record.startedAt ?? view.now,
    deadlineAt,
  });
}

function finish(view: View, record: SignatureRecord, outcome: AttemptOutcome): Decision {
  const { stop } = record;
  // What ends well within the grace has ended well; after it nothing counts any more.
  if (stop !== null && (!outcome.ok || stop.verb === "cancel" || stop.until < view.now)) {
    return stopped(view, record, outcome.ok || outcome.abandoned !== true);
  }
  if (outcome.ok) return conclude(view, record, { status: "SUCCEEDED", result: outcome.result });
  const { retry, totalTimeout } = spec(view, record);
  if (!outcome.terminal && record.attempt < retry.attempts) {
    const wait = backoffMs(retry, record.attempt, record.id);
    if (record.deadlineAt === null || view.now + wait < record.deadlineAt) {
      return unchanged({
        ...record,
        status: "WAITING",
        workerId: null,
        attempt: record.attempt + 1,
        dueAt: view.now + wait,
        error: failure(view, record, outcome.cause),
      });
    }
    const { message } = outcome.cause;
    const why = `its totalTimeout of ${totalTimeout} ms leaves no time for attempt ${record.attempt + 1} of ${retry.attempts}`;
    const cause = { ...outcome.cause, message: `${message} (${why})` };
    return conclude(view, record, { status: "FAILED", error: failure(view, record, cause) });
  }
  return conclude(view, record, { status: "FAILED", error: failure(view, record, outcome.cause) });
}

/**
 * A lost worker costs a recovery, never an attempt; a task that keeps killing workers is stopped. One that is parked is not
 * recovered, and costs none.
 */
function recover(view: View, record: SignatureRecord, how: Recovery = AT_ONCE): Decision {
  if (record.stop !== null) return stopped(view, record, false);
  if (!how.resume) return stopped(view, { ...record, stop: parking(view, how) }, false);
  const recoveries = record.recoveries + 1;
  const { maxRecoveries } = spec(view, record);
  if (recoveries > maxRecoveries) {
    const cause = {
      name: "CrashLoopError",
      code: "CRASH_LOOP",
      message: `"${record.name}" lost its worker ${recoveries} times, more than its maxRecoveries of ${maxRecoveries}`,
    };
    return conclude(
      view,
      { ...record, recoveries },
      { status: "FAILED", error: failure(view, record, cause) },
    );
  }
  const recovered = { ...record, workerId: null, recoveries };
  const { dueAt } = how;
  return unchanged(
    dueAt !== null && dueAt > view.now
      ? { ...recovered, status: "WAITING", dueAt }
      : { ...recovered, status: "READY", readyAt: view.now },
  );
}

function spec(view: View, record: SignatureRecord): TaskSpec {
  return view.spec(record) as TaskSpec;
}
