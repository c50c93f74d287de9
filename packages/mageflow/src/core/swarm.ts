import { type ContainerKind, decideContainer } from "./container.ts";
import { type StoredCause, type StoredError, SwarmClosedError } from "./errors.ts";
import { conclude, credited, failure } from "./outcome.ts";
import { type SwarmSpec, WIDEST_WINDOW } from "./plan.ts";
import { isCancelled, type SignatureRecord } from "./record.ts";
import { type Credit, type Decision, type Signal, unchanged } from "./signal.ts";
import { isEnded } from "./status.ts";
import { sweep, type Took } from "./sweep.ts";
import { isInCleanup, type View } from "./view.ts";

const SWARM_FAILED = "SWARM_FAILED";

/**
 * Decides for one swarm. Up to `concurrency` items are started and not ended (`active`); every end frees a slot for the
 * next pending item. Past its failure limit a swarm is `stopping`: running items end, the rest is skipped. It ends when
 * every item has ended and it takes no more.
 */
export function decideSwarm(view: View, record: SignatureRecord, signal: Signal): Decision {
  switch (signal.type) {
    case "released": {
      const family = record.family!;
      return decideContainer(
        SWARM,
        view,
        { ...record, family: { ...family, active: family.active - 1 } },
        { type: "available" },
      );
    }
    case "add":
      return add(view, record, signal.count);
    case "close":
      return close(view, record);
    default:
      return decideContainer(SWARM, view, record, signal);
  }
}

const SWARM: ContainerKind = { absorb, recounted: limited, unheld, advance, started, startable };

/** @throws SwarmClosedError (`SWARM_CLOSED`) when the swarm cannot take `count` more items. */
export function checkRoom(view: View, record: SignatureRecord, count: number): void {
  const { maxTasks } = spec(view, record);
  const family = record.family!;
  if (isEnded(record.status)) throw new SwarmClosedError(record.id, `it is ${record.status}`);
  // Whoever confirmed the cancel was told what it removes.
  const root = view.get(record.rootId);
  if (root !== undefined && isCancelled(root) && !isInCleanup(view, record))
    throw new SwarmClosedError(record.id, "its workflow is cancelled");
  if (!family.open)
    throw new SwarmClosedError(record.id, "it is closed; make it with `open: true` to add to it");
  if (family.stopping) throw new SwarmClosedError(record.id, "it is past its limit of failures");
  if (maxTasks !== null && family.total + count > maxTasks) {
    throw new SwarmClosedError(
      record.id,
      `with ${count} more it would have more than its maxTasks of ${maxTasks}`,
    );
  }
}

/** The new items are started by the next commit, which finds them stored. */
function add(view: View, record: SignatureRecord, count: number): Decision {
  checkRoom(view, record, count);
  const family = record.family!;
  return unchanged({
    ...record,
    family: { ...family, total: family.total + count, unsettled: family.unsettled + count },
    sweep: record.status === "RUNNING" ? (record.sweep ?? "start") : record.sweep,
  });
}

function close(view: View, record: SignatureRecord): Decision {
  const family = record.family!;
  if (!family.open) return unchanged(record);
  return decideContainer(
    SWARM,
    view,
    { ...record, family: { ...family, open: false } },
    { type: "available" },
  );
}

/** The first failure is kept while the swarm runs, to be the cause of its own error should it fail. */
function absorb(view: View, record: SignatureRecord, credits: readonly Credit[]): SignatureRecord {
  let { error } = record;
  const family = credited(record, credits, (counters, child) => {
    if (child.readyAt !== null) counters.active--;
    if (child.status === "SUCCEEDED") counters.succeeded++;
    else if (child.status === "FAILED") {
      counters.failed++;
      error ??= child.error;
    } else counters.skipped++;
  });
  return limited(view, { ...record, family, error });
}

/** Past its limit it stops, and will not start anything again. */
function limited(view: View, record: SignatureRecord): SignatureRecord {
  const limit = spec(view, record).stopAfterFailures;
  const family = record.family!;
  if (family.stopping || limit === null || family.failed <= limit) return record;
  const next: SignatureRecord = { ...record, family: { ...family, stopping: true } };
  const { status, sweep: sweeping } = record;
  // What has stopped tells nobody before it goes on; what a suspension held is released first, as it may have to run to its end.
  if ((status !== "RUNNING" && status !== "SUSPENDED") || sweeping === "unhold" || sweeping === "reset")
    return next;
  return { ...next, sweep: pastLimit(view, next) };
}

/** A suspension or an interruption may have come before all that run had been told. */
function unheld(view: View, record: SignatureRecord): SignatureRecord {
  const { status, family } = record;
  return status === "RUNNING" && family!.stopping ? { ...record, sweep: pastLimit(view, record) } : record;
}

/** What is done with the items of a swarm that is past its limit. */
function pastLimit(view: View, record: SignatureRecord): "interrupt" | "skip" {
  return spec(view, record).onLimit === "interrupt" ? "interrupt" : "skip";
}

function started(view: View, record: SignatureRecord, { count }: Took): SignatureRecord {
  const next = { ...record, family: { ...record.family!, active: record.family!.active + count } };
  return startable(view, next) > 0 ? next : { ...next, sweep: null };
}

function advance(view: View, record: SignatureRecord): Decision {
  const family = record.family!;
  const ended = family.succeeded + family.failed + family.skipped;
  if (ended === family.total && (!family.open || family.stopping)) return end(view, record);
  if (record.sweep === "skip") return sweep(record);
  if (family.stopping) {
    return ended + family.active < family.total ? sweep({ ...record, sweep: "skip" }) : unchanged(record);
  }
  const free = startable(view, record);
  return free > 0 ? sweep({ ...record, sweep: "start" }, free) : unchanged({ ...record, sweep: null });
}

/** Items that may be started now: free slots, as far as there are items for them. */
function startable(view: View, record: SignatureRecord): number {
  const { total, active, succeeded, failed, skipped } = record.family!;
  const slots = (spec(view, record).concurrency ?? WIDEST_WINDOW) - active;
  return Math.max(0, Math.min(slots, total - active - succeeded - failed - skipped));
}

function end(view: View, record: SignatureRecord): Decision {
  const family = record.family!;
  if (!family.stopping && (family.total === 0 || family.failed < family.total)) {
    return conclude(view, record, { status: "SUCCEEDED", result: null });
  }
  const cause = {
    name: "SwarmFailedError",
    code: SWARM_FAILED,
    message: `${family.failed} of ${family.total} items failed${family.skipped > 0 ? `, ${family.skipped} were skipped` : ""}`,
  };
  const first = record.error;
  const error = failure(view, record, first === null ? cause : { ...cause, cause: causeOf(first) });
  return conclude(view, record, { status: "FAILED", error });
}

/**
 * Of swarms in swarms the error tells of the failure itself and of the innermost swarm; those between, which the path of the failure names,
 * would let the error grow with every level.
 */
function causeOf(first: StoredError): StoredCause {
  return first.code === SWARM_FAILED && first.cause?.code === SWARM_FAILED ? first.cause : first;
}

function spec(view: View, record: SignatureRecord): SwarmSpec {
  return view.spec(record) as SwarmSpec;
}
