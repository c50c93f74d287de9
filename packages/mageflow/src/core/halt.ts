import { IllegalTransitionError } from "./errors.ts";
import { conclude } from "./outcome.ts";
import type { SignatureRecord, Stop } from "./record.ts";
import { after, type Decision, type Signal, unchanged } from "./signal.ts";
import { isEnded } from "./status.ts";
import { sweep } from "./sweep.ts";
import type { View } from "./view.ts";

/**
 * How interrupt and cancel stop a signature, whatever its status. Code that runs is told and gets its grace: the order stands in the
 * record (`stop`) until the attempt ends or is fenced off. A container is stopped at once, so that nothing more starts in it,
 * and passes the order on to what has started inside, window by window; it cleans up when all of that has reported.
 */
type Halt = Extract<Signal, { type: "halt" }>;

/**
 * Orders a signature to stop. Again is a no-op; cancel outdoes interrupt.
 *
 * @throws IllegalTransitionError (`ILLEGAL_TRANSITION`) for interrupting what has ended.
 */
export function halt(view: View, record: SignatureRecord, order: Halt): Decision {
  const { id, status, kind } = record;
  const stop = ordered(view, record, order);
  if (isEnded(status)) {
    if (order.verb === "interrupt" && order.by === null) {
      throw new IllegalTransitionError(id, "interrupt", status, "only what has not ended can be interrupted");
    }
    if (order.by !== null) return { ...unchanged(record), send: [report(order.by, true)] };
    // It keeps its outcome, but nothing that follows from it starts any more.
    return unchanged({ ...record, stop });
  }
  const known = record.stop;
  if (known !== null && (order.verb === "interrupt" || known.verb === "cancel")) {
    const by = status === "RUNNING" ? (known.by ?? order.by) : known.by;
    const own = known.own || order.by === null || order.own === true;
    if (by === known.by && own === known.own && !known.resumes) return unchanged(record);
    return unchanged({
      ...record,
      heldBy: own ? null : record.heldBy,
      stop: { ...known, by, own, resumes: false },
    });
  }
  if (status === "RUNNING" && kind === "task") return unchanged({ ...record, stop });
  return stopped(view, { ...record, stop });
}

function ordered(
  view: View,
  { stop }: SignatureRecord,
  { verb, actor, reason, grace, by, own = false }: Halt,
): Stop {
  const until = view.now + grace;
  return {
    verb,
    actor,
    reason,
    by: by ?? stop?.by ?? null,
    own: by === null || own || stop?.own === true,
    until: stop === null ? until : Math.min(stop.until, until),
    clean: stop?.clean ?? true,
    resumes: false,
    done: false,
  };
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

/** The container after a child that was told to stop has. */
export function halted(record: SignatureRecord, clean: boolean): SignatureRecord {
  const { stop } = record;
  const family = record.family!;
  return {
    ...record,
    family: { ...family, halting: Math.max(0, family.halting - 1) },
    stop: stop === null ? null : { ...stop, clean: stop.clean && clean },
  };
}

function report(to: string, clean: boolean): Decision["send"][number] {
  return { to, signal: { type: "halted", clean } };
}
