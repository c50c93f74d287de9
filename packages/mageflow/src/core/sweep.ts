import { isCallback, standsInCleanup } from "./ids.ts";
import { MILESTONE, type SignatureRecord, type Sweep } from "./record.ts";
import { type Decision, type Signal, unchanged } from "./signal.ts";
import { isEnded } from "./status.ts";

/**
 * Work on many signatures, done a window at a time: the record names what is being swept, so that a crash between
 * two windows loses nothing. `take` asks for the next window; `took` tells how many there were.
 */

/** Signatures that one commit starts, skips, stops or releases for one container. */
const WINDOW = 500;

/** Why a swarm stops its items when nobody has told it to stop itself, and what they get to end by themselves. */
const PAST_ITS_LIMIT = {
  actor: "its swarm",
  reason: "the swarm is past its limit of failures",
  grace: 10_000,
} as const;

export type Took = Extract<Signal, { type: "took" }>;

/** Asks for the next window of what the record is sweeping. */
export function sweep(record: SignatureRecord, limit: number = WINDOW): Decision {
  if (record.sweep === null) return unchanged(record);
  return { ...unchanged(record), take: { what: record.sweep, limit: Math.min(limit, WINDOW) } };
}

/** How the order is passed on that a container has: those that it has told to stop before are hastened first. */
export function passing({ family, stop }: SignatureRecord): Sweep {
  return family!.halting > 0 ? "hasten" : stop!.verb;
}

/** After a window: a full one means that there may be more, which is left to the next commit. */
export function swept(record: SignatureRecord, took: Took): SignatureRecord {
  return record.sweep !== took.what || took.count === took.limit ? record : { ...record, sweep: null };
}

/** A sweep of a signature; with the end of its own grace, if it stops. */
export interface SweepOf {
  readonly id: string;
  readonly what: Sweep;
  readonly until?: number | undefined;
}

/** True for what a sweep is about. Whatever got its signal belongs no more, so that the next window finds others. */
export function belongs(record: SignatureRecord, { id, what, until = Infinity }: SweepOf): boolean {
  const { status, heldBy, stop } = record;
  if (what === "unhold") return heldBy === id;
  if (what === "clean") return heldBy === id && standsInCleanup(record.id, id);
  if (what === "hasten") {
    const isStopping = status === "RUNNING" && stop !== null && stop.until > until;
    return isStopping && record.id.startsWith(`${id}.`) && !standsInCleanup(record.id, id);
  }
  if (record.parentId !== id || isCallback(record.role)) return false;
  switch (what) {
    case "start":
      return status === "PENDING" && heldBy === null;
    case "skip":
      return status === "INTERRUPTED"
        ? stop === null || stop.done || !stop.resumes
        : isBeforeRunning(record) && record.attempt === 0;
    case "interrupt":
      // What has ended and is not counted yet may have cleanups that its container does not know of.
      if (isEnded(status)) return record.milestone === MILESTONE.ENDED && record.credited < record.milestone;
      return stop?.by !== id && (status === "INTERRUPTED" ? !stop!.done : hasBegun(record));
    case "cancel":
      // What has ended may have callbacks that have not. What has not been started is left where it is: nothing starts it any more.
      if (isEnded(status)) return stop === null && record.milestone !== MILESTONE.SETTLED;
      return !(status === "PENDING" && heldBy === null) && !(stop?.verb === "cancel" && stop.by === id);
    case "reset":
      return isEnded(status);
  }
}

/** What is under way: it runs, or it has run and is to run again. */
function hasBegun({ status, prior, attempt, heldBy }: SignatureRecord): boolean {
  if (status === "PENDING" && heldBy === null) return false;
  return status === "RUNNING" || prior === "RUNNING" || attempt > 0;
}

/** A suspended container that was running has something running inside. */
function isBeforeRunning({ status, prior }: SignatureRecord): boolean {
  return (
    status === "PENDING" ||
    status === "READY" ||
    status === "WAITING" ||
    (status === "SUSPENDED" && prior !== "RUNNING")
  );
}

/** What each signature of a window of `sweeper` is told. */
export function told(sweeper: SignatureRecord, what: Sweep, now: number): Signal {
  switch (what) {
    case "start":
    case "unhold":
    case "clean":
      return { type: "start" };
    case "skip":
      return { type: "skip" };
    case "reset":
      return { type: "reset" };
    case "hasten":
      return { type: "hasten", until: sweeper.stop!.until };
    case "interrupt":
    case "cancel": {
      const by = sweeper.id;
      if (sweeper.stop === null) return { type: "halt", verb: what, ...PAST_ITS_LIMIT, by, own: true };
      const { actor, reason, until } = sweeper.stop;
      return { type: "halt", verb: what, actor, reason, grace: Math.max(0, until - now), by };
    }
  }
}
