import { IllegalTransitionError } from "./errors.ts";
import { isCleanup } from "./ids.ts";
import { conclude, credit, followers, proceed, report } from "./outcome.ts";
import { isSettled, NO_FAMILY, type SignatureRecord, type Stop } from "./record.ts";
import { after, type Decision, type Signal, unchanged } from "./signal.ts";
import { isEnded } from "./status.ts";
import { sweep } from "./sweep.ts";
import { ancestors, type View } from "./view.ts";

/**
 * How interrupt and cancel stop a signature, whatever its status. Code that runs is told and gets its grace: the order stands in the
 * record (`stop`) until the attempt ends or is fenced off. A container is stopped at once, so that nothing more starts in it,
 * and passes the order on to what has started inside, window by window; it cleans up when all of that has reported.
 */
type Halt = Extract<Signal, { type: "halt" }>;

/**
 * Orders a signature to stop. Again is a no-op, unless its grace is over sooner than that of the first order; cancel outdoes interrupt.
 *
 * @throws IllegalTransitionError (`ILLEGAL_TRANSITION`) for interrupting what has ended.
 */
export function halt(view: View, record: SignatureRecord, order: Halt): Decision {
  const { status, kind, stop: known } = record;
  if (isEnded(status)) return haltEnded(view, record, order);
  if (known !== null && (order.verb === "interrupt" || known.verb === "cancel"))
    return haltAgain(view, record, known, order);
  const stop = ordered(view, record, order);
  if (status === "RUNNING" && kind === "task") return unchanged({ ...record, stop });
  return stopped(view, { ...record, stop });
}

/** Whoever gives the same order again hears when it has been carried out, and it stops for the sake of all who gave it. */
function haltAgain(view: View, record: SignatureRecord, known: Stop, order: Halt): Decision {
  const by = known.done ? known.by : (known.by ?? order.by);
  // What was resumed while it was stopping stops for its container alone.
  const own = order.by === null || order.own === true || (known.own && !known.resumes);
  // Nothing keeps what was left off from being skipped.
  const resumes = known.resumes && isPassed(view, record);
  const same = by === known.by && own === known.own && resumes === known.resumes;
  const heldBy = own ? null : record.status === "INTERRUPTED" ? by : record.heldBy;
  const told = same ? record : { ...record, heldBy, stop: { ...known, by, own, resumes } };
  const decision = hasten(view, told, view.now + order.grace);
  if (!known.resumes || resumes || !isInTurn(record)) return decision;
  // Its container may have left it off since it was read here, because it was to go on by itself.
  return { ...decision, send: [...decision.send, { to: record.parentId!, signal: { type: "available" } }] };
}

/**
 * Brings the end of a grace forward, here and for what runs inside; nothing puts it off. What is told to stop from now on has no longer
 * anyway, so that those are left that have been told.
 */
export function hasten(view: View, record: SignatureRecord, until: number): Decision {
  const { status, kind, sweep: sweeping, stop } = record;
  if (stop === null || stop.done || stop.until <= until) return unchanged(record);
  const next: SignatureRecord = { ...record, stop: { ...stop, until } };
  if (kind !== "task") {
    // Before the order is passed on there is nobody to hasten, and those who are being hastened already get the end that stands here then.
    const passedOn = sweeping === null || sweeping === stop.verb;
    return passedOn ? sweep({ ...next, sweep: "hasten" }) : unchanged(next);
  }
  const told = isEnded(status) ? followers(view, record) : [];
  return { ...unchanged(next), send: told.map((to) => ({ to, signal: { type: "hasten", until } })) };
}

/** True for a step or an item whose turn will not come: its container has ended, or is past its limit. */
function isPassed(view: View, record: SignatureRecord): boolean {
  if (!isInTurn(record)) return false;
  const { status, family } = view.get(record.parentId!)!;
  return isEnded(status) || family!.stopping;
}

/** True for what has its turn in a container. */
function isInTurn({ role }: SignatureRecord): boolean {
  return role === "step" || role === "item";
}

/** What has ended keeps its outcome. When it is cancelled, its callbacks and those inside it stop, and nothing follows from it any more. */
function haltEnded(view: View, record: SignatureRecord, order: Halt): Decision {
  const { id, status, kind, stop: known } = record;
  const answer = report(order, true);
  if (order.verb === "interrupt") {
    // Its container has not been credited with its end, and must not clean up before it knows.
    const credited = { ...record, credited: record.milestone };
    if (order.by !== null)
      return { ...unchanged(credited), send: [...answer, ...credit(credited, record.credited)] };
    throw new IllegalTransitionError(id, "interrupt", status, "only what has not ended can be interrupted");
  }
  if (known !== null) {
    const hastened = hasten(view, record, view.now + order.grace);
    return order.by === null ? hastened : { ...hastened, send: [...answer, ...hastened.send] };
  }
  if (order.by !== null && isSettled(record)) return { ...unchanged(record), send: answer };
  const told = isSettled(record) ? [] : followers(view, record);
  const family = record.family ?? NO_FAMILY;
  const sweeping = kind === "task" || isSettled(record) ? null : (record.sweep ?? "cancel");
  const next: SignatureRecord = {
    ...record,
    family: told.length === 0 ? record.family : { ...family, halting: family.halting + told.length },
    sweep: sweeping,
    stop: ordered(view, record, order),
  };
  const passed: Decision = {
    ...sweep(next),
    send: told.map((to) => ({ to, signal: { ...order, by: id } })),
  };
  return after(passed, { ...proceed(view, next), take: null });
}

function ordered(
  view: View,
  record: SignatureRecord,
  { verb, actor, reason, grace, by, own = false }: Halt,
): Stop {
  const { stop, status } = record;
  const until = Math.min(view.now + grace, graceAround(view, record));
  return {
    verb,
    actor,
    reason,
    by: by ?? stop?.by ?? null,
    // What was suspended by itself does not go on along with its container.
    own: by === null || own || stop?.own === true || status === "SUSPENDED",
    // A grace that is over because all had stopped is none for what has begun since.
    until: stop === null || stop.done ? until : Math.min(stop.until, until),
    clean: stop?.clean ?? true,
    resumes: false,
    done: false,
  };
}

/** When the grace is over of whatever stops around a signature. Around a cleanup nothing does. */
function graceAround(view: View, record: SignatureRecord): number {
  let until = Infinity;
  let at = record;
  for (const above of ancestors(view, record)) {
    if (isCleanup(at.role)) break;
    if (above.stop !== null && !above.stop.done) until = Math.min(until, above.stop.until);
    at = above;
  }
  return until;
}

/** Carries the order out: what was to stop has, or has nothing that runs by itself. */
export function stopped(view: View, record: SignatureRecord, clean = true): Decision {
  const stop = { ...record.stop!, clean: record.stop!.clean && clean };
  const concluded = conclude(
    view,
    { ...record, stop },
    { status: stop.verb === "cancel" ? "CANCELLED" : "INTERRUPTED" },
  );
  return concluded.record.sweep === null ? concluded : after(concluded, sweep(concluded.record));
}

/** What was told to stop has. An answer to an earlier order, which this one has outdone, is not counted. */
export function halted(
  view: View,
  record: SignatureRecord,
  { verb, clean }: Extract<Signal, { type: "halted" }>,
): Decision {
  const { stop } = record;
  if (stop === null || stop.done || stop.verb !== verb) return unchanged(record);
  return proceed(view, {
    ...reported(record),
    stop: { ...stop, clean: stop.clean && clean },
  });
}

/** One answer less to wait for. */
export function reported(record: SignatureRecord): SignatureRecord {
  const family = record.family!;
  return { ...record, family: { ...family, halting: Math.max(0, family.halting - 1) } };
}

/** Whether all that ran had ended by itself; null while something of it may still end, or has to be given up. */
export function isClean({ status, stop, sweep, family }: SignatureRecord): boolean | null {
  if (stop === null) return true;
  const passing = sweep === "interrupt" || sweep === "cancel" || sweep === "hasten";
  return status === "RUNNING" || passing || (family !== null && family.halting > 0) ? null : stop.clean;
}
