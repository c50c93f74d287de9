import { awaitsReset, renewed } from "./generation.ts";
import { halt, halted, hasten, reported } from "./halt.ts";
import { admit, goOn, leaveOff, resume, ripen, suspend } from "./lifecycle.ts";
import { conclude, proceed } from "./outcome.ts";
import type { SignatureRecord, Sweep } from "./record.ts";
import { after, type Credit, type Decision, type Signal, unchanged } from "./signal.ts";
import { isEnded } from "./status.ts";
import { passing, type Took, sweep, swept } from "./sweep.ts";
import { barred, type View } from "./view.ts";

/** What tells one kind of container from another. */
export interface ContainerKind {
  /** Takes the milestones of children and callbacks into the counters. */
  absorb(view: View, record: SignatureRecord, credits: readonly Credit[]): SignatureRecord;
  /** What follows for the record itself from counters that were wrong. */
  recounted(view: View, record: SignatureRecord): SignatureRecord;
  /** What it sweeps next, when all that it held has been let go. */
  unheld(view: View, record: SignatureRecord): SignatureRecord;
  /** What a RUNNING container may do now: end, skip, or start more. */
  advance(view: View, record: SignatureRecord): Decision;
  /** After a window of started children. */
  started(view: View, record: SignatureRecord, took: Took): SignatureRecord;
  /** Children that may be started now. */
  startable(view: View, record: SignatureRecord): number;
}

/** Decides what all containers do alike. */
export function decideContainer(
  kind: ContainerKind,
  view: View,
  record: SignatureRecord,
  signal: Signal,
): Decision {
  switch (signal.type) {
    case "start":
      return record.status === "INTERRUPTED" ? goOn(record) : start(kind, view, record);
    case "due": {
      const ripe = ripen(view, record);
      return ripe === record ? unchanged(record) : start(kind, view, ripe);
    }
    case "credit":
      return advance(kind, view, kind.absorb(view, record, signal.credits));
    case "available":
      return skipRest(advance(kind, view, record), record);
    case "recount":
      return advance(kind, view, kind.recounted(view, { ...record, family: signal.family }));
    case "skip":
      return skip(view, record);
    case "took":
      return took(kind, view, record, signal);
    case "sweep":
      return record.sweep === "start" ? sweep(record, kind.startable(view, record)) : sweep(record);
    case "halt":
      return halt(view, record, signal);
    case "hasten":
      return hasten(view, record, signal.until);
    case "halted":
      return record.stop === null ? advance(kind, view, reported(record)) : halted(view, record, signal);
    case "reset":
      return isEnded(record.status) ? unchanged(renewed(record)) : unchanged(record);
    case "suspend":
      return suspend(record);
    case "resume": {
      const resumed = resume(record);
      return after(resumed, sweep(resumed.record));
    }
    default:
      return unchanged(record);
  }
}

/** What is done before anything starts in a later generation: what ran is reset, and what was held goes on. */
function sweepBefore(record: SignatureRecord): Sweep | null {
  if (record.generation === 1) return null;
  return awaitsReset(record) ? "reset" : "unhold";
}

function start(kind: ContainerKind, view: View, record: SignatureRecord): Decision {
  const admission = admit(view, record);
  if (!admission.go) return unchanged(admission.record);
  const admitted = { ...record, heldBy: null, dueAt: admission.dueAt, readyAt: record.readyAt ?? view.now };
  if (barred(view, record)) return skip(view, admitted);
  const running: SignatureRecord = {
    ...admitted,
    status: "RUNNING",
    startedAt: record.startedAt ?? view.now,
    sweep: sweepBefore(record) ?? record.sweep,
  };
  // An empty one ends by a decision of its own: it has run, however briefly.
  if (running.family!.total === 0)
    return { ...unchanged(running), send: [{ to: running.id, signal: { type: "available" } }] };
  return advance(kind, view, running);
}

/**
 * What was held is released before anything else goes on, so that nothing is left behind when the container ends; what ran in an
 * earlier generation is reset before anything starts in this one.
 */
function advance(kind: ContainerKind, view: View, record: SignatureRecord): Decision {
  if (isEnded(record.status) || record.status === "INTERRUPTED") return proceed(view, record);
  if (record.status !== "RUNNING") return unchanged(record);
  if (record.sweep === "unhold" || record.sweep === "reset" || record.sweep === "interrupt")
    return sweep(record);
  return kind.advance(view, record);
}

/** What has ended goes on skipping what is in it, should any of it never have been reached. */
function skipRest(decision: Decision, record: SignatureRecord): Decision {
  const { status, family, sweep: sweeping, stop } = record;
  if (!isEnded(status) || stop !== null || sweeping !== null || family!.total === 0) return decision;
  return after(decision, sweep({ ...decision.record, sweep: "skip" }));
}

/** The container is never reached: it ends, and what is in it is skipped window by window. */
function skip(view: View, record: SignatureRecord): Decision {
  if (isEnded(record.status) || record.status === "RUNNING" || record.prior === "RUNNING")
    return unchanged(record);
  const left = record.status === "INTERRUPTED" ? leaveOff(record) : { now: true, record };
  if (!left.now) return unchanged(left.record);
  const skipped = conclude(view, left.record, { status: "SKIPPED" });
  if (record.family!.total === 0) return skipped;
  return after(skipped, sweep({ ...skipped.record, sweep: awaitsReset(record) ? "reset" : "skip" }));
}

function isStopping({ stop }: SignatureRecord): boolean {
  return stop !== null && !stop.done;
}

/** An order to stop is passed on when what stands before it is done. */
function passOn(record: SignatureRecord): Decision {
  return record.sweep === null && isStopping(record)
    ? sweep({ ...record, sweep: passing(record) })
    : unchanged(record);
}

function took(kind: ContainerKind, view: View, record: SignatureRecord, signal: Took): Decision {
  const next = swept(record, signal);
  switch (signal.what) {
    case "start":
      return unchanged(kind.started(view, next, signal));
    case "unhold":
    case "reset":
      if (next.sweep !== null) return unchanged(next);
      if (isStopping(next)) return passOn(next);
      if (signal.what === "reset")
        return sweep({ ...next, sweep: next.status === "SKIPPED" ? "skip" : "unhold" });
      return advance(kind, view, kind.unheld(view, next));
    case "skip":
      // What is skipped after an earlier generation of it was stopped still holds callbacks of what had ended inside.
      if (next.sweep === null && next.status === "SKIPPED" && next.generation > 1)
        return sweep({ ...next, sweep: "unhold" });
      return passOn(next);
    case "clean":
      return passOn(next);
    case "hasten":
      // Those that the order has not reached yet are told with the shorter grace.
      return next.sweep === null ? sweep({ ...next, sweep: next.stop!.verb }) : unchanged(next);
    case "interrupt":
    case "cancel": {
      const family = next.family!;
      const told = { ...next, family: { ...family, halting: family.halting + signal.count } };
      return next.sweep === null ? advance(kind, view, told) : unchanged(told);
    }
  }
}
