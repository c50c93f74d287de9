import { callbackId, childId, isCallback, isCleanup, standsInCleanup } from "../core/ids.ts";
import { MILESTONE, NO_FAMILY, type SignatureRecord, type Sweep } from "../core/record.ts";
import { isEnded, type Status } from "../core/status.ts";
import type { WorkerRow } from "../ports/store.ts";
import { checkGeneration, generationIn, isOfLifeBefore } from "./verify-generation.ts";
import type { SpecDigest } from "./verify-specs.ts";
import { checkStop, hasStopped } from "./verify-stop.ts";
import { checkValues, endsBeforeItStarts } from "./verify-values.ts";

/**
 * What one stored signature must satisfy, seen with its parent, its holder, its worker and the step before it. It is written from the
 * invariants and shares nothing with the deciders, so that it can be held against them.
 */
export interface Surroundings {
  /** The store's time. */
  readonly now: number;
  readonly parent: SignatureRecord | undefined;
  /** What the record names as `heldBy`. */
  readonly holder: SignatureRecord | undefined;
  /** The step before it. */
  readonly previous: SignatureRecord | undefined;
  readonly spec: SpecDigest | undefined;
  readonly parentSpec: SpecDigest | undefined;
  /** Cleanups for items that the swarm around the parent declares, when the parent is an item. */
  readonly itemCleanups: number;
  /** The session that the record names. */
  readonly worker: WorkerRow | undefined;
  /** Whether any session is alive to take over what others lost. */
  readonly attended: boolean;
}

/** `I1` to `I13` as in the list of invariants; `RECORD` for a field that contradicts its status; `STORE` for what lies below records. */
type Invariant =
  | "I1"
  | "I2"
  | "I3"
  | "I4"
  | "I5"
  | "I6"
  | "I7"
  | "I9"
  | "I10"
  | "I13"
  | "RECORD"
  | "AUDIT"
  | "STORE";

export interface Finding {
  readonly invariant: Invariant;
  /** A warning is no breach yet: somebody still has time to mend it. */
  readonly severity: "breach" | "warning";
  readonly message: string;
}

/** Others take over what a dead worker held, or stop what ran beyond its grace, at the latest this long (ms) after its time. */
const TAKEOVER_MS = 20_000;

export function checkSignature(record: SignatureRecord, around: Surroundings): Finding[] {
  const findings: Finding[] = [];
  const breach: Report = (invariant, message) =>
    void findings.push({ invariant, severity: "breach", message });
  checkPlace(record, around, breach);
  checkFields(record, breach);
  checkGeneration(record, around.parent, breach);
  checkStop(record, around.parent, breach);
  checkValues(record, breach);
  checkTexts(record, breach);
  if (endsBeforeItStarts(record)) {
    const message = "it ended before it started, unless the store's clock was set back meanwhile";
    findings.push({ invariant: "RECORD", severity: "warning", message });
  }
  if (isEnded(record.status)) checkEnded(record, breach);
  else findings.push(...checkReason(record, around));
  checkTurn(record, around, breach);
  return findings;
}

export type Report = (invariant: Invariant, message: string) => void;

function checkPlace(record: SignatureRecord, { parent, spec }: Surroundings, breach: Report): void {
  const { id, rootId, parentId, role, slot, kind } = record;
  if (spec === undefined) breach("RECORD", `its spec "${record.spec}" is missing`);
  else if (spec.kind !== kind) breach("RECORD", `it is a ${kind}, but its spec is that of a ${spec.kind}`);
  if (parentId === null) {
    if (role !== "root" || rootId !== id)
      breach("RECORD", `it has no parent, but is a ${role} of "${rootId}"`);
    return;
  }
  if (role === "root") breach("RECORD", `it is a root, but has the parent "${parentId}"`);
  if (parent === undefined) {
    breach("RECORD", `it is an orphan: its parent "${parentId}" is missing`);
    return;
  }
  if (parent.rootId !== rootId)
    breach("RECORD", `its parent belongs to another workflow, "${parent.rootId}"`);
  const place = isCallback(role)
    ? callbackId(parentId, role, slot, generationIn(id))
    : childId(parentId, slot);
  if (role !== "root" && place !== id) breach("RECORD", `its id does not say where it stands: ${place}`);
  if (role === "step" && parent.kind !== "chain") breach("RECORD", `it is a step of a ${parent.kind}`);
  if (role === "item" && parent.kind !== "swarm") breach("RECORD", `it is an item of a ${parent.kind}`);
}

/** In which statuses a container may have each kind of sweep to do. */
const SWEEPING: Readonly<Partial<Record<Sweep, readonly Status[]>>> = {
  start: ["RUNNING"],
  skip: ["RUNNING", "SUSPENDED", "SUCCEEDED", "FAILED", "SKIPPED"],
  unhold: ["PENDING", "WAITING", "RUNNING", "SKIPPED"],
  clean: ["INTERRUPTED", "CANCELLED"],
  interrupt: ["RUNNING", "SUSPENDED", "INTERRUPTED"],
  cancel: ["SUCCEEDED", "FAILED", "SKIPPED", "CANCELLED"],
  hasten: ["SUCCEEDED", "FAILED", "SKIPPED", "INTERRUPTED", "CANCELLED"],
  reset: ["RUNNING", "SKIPPED"],
} satisfies Record<Sweep, readonly Status[]>;

/** Fields that belong to some statuses only. */
function checkFields(record: SignatureRecord, breach: Report): void {
  const { status, kind, prior, heldBy, workerId, dueAt, startedAt, finishedAt, attempt, family, sweep } =
    record;
  const only = (field: string, is: boolean, ...statuses: readonly string[]): void => {
    if (is && !statuses.includes(status)) breach("RECORD", `it is ${status}, but has a ${field}`);
  };
  only("state before its suspension", prior !== null, "SUSPENDED");
  only("holder", heldBy !== null, "PENDING", "INTERRUPTED");
  only("worker", workerId !== null, "RUNNING");
  if (sweep !== null) only(`sweep "${sweep}"`, true, ...(SWEEPING[sweep] ?? []));
  const needs = (field: string, has: boolean, when: boolean): void => {
    if (when && !has) breach("RECORD", `it is ${status}, but has no ${field}`);
  };
  needs("state before its suspension", prior !== null, status === "SUSPENDED");
  needs("worker", workerId !== null, status === "RUNNING" && kind === "task");
  needs("attempt", attempt > 0, status === "RUNNING" && kind === "task");
  needs("start time", startedAt !== null, status === "RUNNING");
  needs("time to wait for", dueAt !== null, status === "WAITING");
  needs("time at which it became ready", record.readyAt !== null, status === "READY");
  needs("end time", finishedAt !== null, isEnded(status) || status === "INTERRUPTED");
  if (record.readyAt !== null && (status === "INTERRUPTED" || status === "CANCELLED"))
    breach("RECORD", `it is ${status}, but has been told to start`);
  if (status === "READY" && kind !== "task") breach("RECORD", `a ${kind} is never READY`);
  if (workerId !== null && kind !== "task") breach("RECORD", `a ${kind} is never taken by a worker`);
  if (sweep !== null && kind === "task") breach("RECORD", "a task has nothing to sweep");
  if (kind !== "task" && family === null) breach("RECORD", `a ${kind} without counters`);
  if (record.credited > record.milestone) {
    breach(
      "I2",
      `its parent was credited with milestone ${record.credited}, but it has only reached ${record.milestone}`,
    );
  }
  if (family !== null) {
    for (const [name, value] of Object.entries(family)) {
      if (typeof value === "number" && value < 0) breach("I5", `its counter "${name}" is ${value}`);
    }
  }
}

function checkTexts(record: SignatureRecord, breach: Report): void {
  for (const field of ["bound", "message", "result"] as const) {
    const text = record[field];
    if (text === null) continue;
    try {
      JSON.parse(text);
    } catch {
      breach("RECORD", `its ${field} is not JSON: ${text.slice(0, 80)}`);
    }
  }
}

/** One outcome, whole and final. */
function checkEnded(record: SignatureRecord, breach: Report): void {
  const { status, kind, result, error, milestone } = record;
  if (status === "CANCELLED") {
    if (milestone !== MILESTONE.OPEN) breach("I2", `it is CANCELLED, but at milestone ${milestone}`);
    return;
  }
  if (status === "SUCCEEDED" && kind === "task" && result === null)
    breach("I2", "it SUCCEEDED without a result");
  if (status === "FAILED" && error === null) breach("I2", "it FAILED without an error");
  if (status !== "SUCCEEDED" && result !== null) breach("I2", `it is ${status}, but has a result`);
  if (status !== "FAILED" && error !== null) breach("I2", `it is ${status}, but has an error`);
  if (status === "SKIPPED" && record.startedAt !== null) breach("I2", "it was SKIPPED after it had started");
  const family = record.family ?? NO_FAMILY;
  const dirty = !isCleanInside(record) || family.cleanupsEnded < family.cleanups;
  const reached = dirty ? MILESTONE.ENDED : family.unsettled > 0 ? MILESTONE.CLEANED : MILESTONE.SETTLED;
  if (milestone !== reached) {
    breach("I1", `it has ended and its counters say milestone ${reached}, but it stands at ${milestone}`);
  }
}

/** Everything inside has ended and been cleaned up; or has stopped, when all of it was cancelled. */
function isCleanInside({ family, stop, sweep }: SignatureRecord): boolean {
  const { total, succeeded, failed, skipped, uncleaned, halting } = family ?? NO_FAMILY;
  const ended = succeeded + failed + skipped === total;
  return uncleaned === 0 && (ended || (stop !== null && sweep === null && halting === 0));
}

/** Why an open signature may stand still: a lease, a time, a suspension, a turn that has not come. */
function checkReason(record: SignatureRecord, around: Surroundings): Finding[] {
  const { status, kind, milestone } = record;
  const findings: Finding[] = [];
  const say = (severity: Finding["severity"], message: string): void =>
    void findings.push({ invariant: "I1", severity, message });
  if (milestone !== MILESTONE.OPEN) say("breach", `it is ${status}, but already at milestone ${milestone}`);
  if (record.finishedAt !== null && status !== "INTERRUPTED")
    say("breach", `it is ${status}, but has an end time`);
  if (status === "RUNNING" && kind === "task") {
    const lease = checkLease(record.workerId, around);
    if (lease !== null) findings.push(lease);
    const grace = checkGrace(record, around);
    if (grace !== null) findings.push(grace);
  }
  if (status === "PENDING" || record.heldBy !== null) {
    const stuck = whyStuck(record, around);
    if (stuck !== null) say("breach", stuck);
  }
  return findings;
}

function checkLease(workerId: string | null, { worker, now, attended }: Surroundings): Finding | null {
  const say = (severity: Finding["severity"], message: string): Finding => ({
    invariant: "I1",
    severity,
    message,
  });
  if (workerId === null) return null;
  if (worker === undefined)
    return say("breach", `it is RUNNING under "${workerId}", which is no known session`);
  if (worker.endedAt !== null)
    return say("breach", `it is RUNNING under "${workerId}", whose session has ended`);
  const lapsed = now - worker.leaseUntil;
  if (lapsed <= 0) return null;
  const says = `the lease of its worker "${workerId}" lapsed ${(lapsed / 1_000).toFixed(1)} s ago`;
  if (lapsed <= TAKEOVER_MS)
    return say("warning", `${says}; others take it over at the latest ${TAKEOVER_MS / 1_000} s after that`);
  return attended
    ? say("breach", `${says}, and no live worker has taken it over`)
    : say("warning", `${says}, and no live worker that runs such tasks could take it over; start one`);
}

/** What still runs when its grace is over is taken from its worker, whoever that is. */
function checkGrace({ stop }: SignatureRecord, { now, attended }: Surroundings): Finding | null {
  const over = stop === null ? 0 : now - stop.until;
  if (over <= 0) return null;
  const says = `its grace ended ${(over / 1_000).toFixed(1)} s ago, but it is RUNNING`;
  return over > TAKEOVER_MS && attended
    ? { invariant: "I1", severity: "breach", message: `${says}, and no live worker has stopped it` }
    : { invariant: "I1", severity: "warning", message: `${says}; any live worker stops it` };
}

/** Why a PENDING signature will never be started, or null. */
function whyStuck(record: SignatureRecord, { parent, holder, itemCleanups }: Surroundings): string | null {
  const { heldBy, readyAt, role, deletion, startedAt } = record;
  if (heldBy !== null) {
    if (holder === undefined) return `it is held by "${heldBy}", which is missing`;
    return holds(holder, record)
      ? null
      : `it is held by "${heldBy}", which is ${holder.status} and will not release it`;
  }
  // What is marked for deletion before it has begun, begins when the mark is taken away.
  if (deletion !== null && startedAt === null) return null;
  if (readyAt !== null) return "it was told to start, but is PENDING with nothing that holds it";
  if (parent === undefined || !isCallback(role)) return null;
  if (!isCleanup(role)) return "a callback starts with the outcome, but it was never started";
  const turn = cleanupTurn(record, parent, itemCleanups);
  const due = turn !== null && turn === parent.family!.cleanupsEnded && cleansNow(parent);
  return due ? "it is this cleanup's turn, but it was never started" : null;
}

/** True for what keeps a signature from starting, or lets go of it when it goes on itself. */
function holds(holder: SignatureRecord, { id }: SignatureRecord): boolean {
  const { status, sweep, generation } = holder;
  if (status === "SUSPENDED" || sweep === "unhold" || sweep === "reset") return true;
  // What has stopped lets cleanups through.
  if (hasStopped(holder)) return sweep === "clean" || !standsInCleanup(id, holder.id);
  const goesOn = status === "PENDING" || status === "WAITING" || (status === "SKIPPED" && sweep === "skip");
  return goesOn && generation > 1;
}

/** True when what is inside leaves an owner nothing to wait for before its own cleanups. */
function cleansNow(owner: SignatureRecord): boolean {
  if (owner.status !== "INTERRUPTED" && owner.status !== "CANCELLED")
    return isEnded(owner.status) && isCleanInside(owner);
  const { uncleaned, halting } = owner.family ?? NO_FAMILY;
  return owner.sweep === null && uncleaned === 0 && halting === 0;
}

/** The place of a cleanup in the order in which cleanups run: the last registered first, the swarm's for items after the own. */
function cleanupTurn(
  { role, slot, id }: SignatureRecord,
  owner: SignatureRecord,
  itemCleanups: number,
): number | null {
  if (owner.family === null || generationIn(id) !== owner.generation) return null;
  const last = owner.family.cleanups - 1;
  return role === "cleanup" ? last - itemCleanups - slot : last - slot;
}

/** True for what its owner, a task, has registered while it ran: of all callbacks these alone were given something. */
export function isTwin({ role, message }: SignatureRecord): boolean {
  return role === "cleanup" && message !== null;
}

/** Twins stand behind the cleanups that the plan of their owner declares. */
function checkTwin(
  { role, slot, message }: SignatureRecord,
  parent: SignatureRecord,
  spec: SpecDigest | undefined,
  breach: Report,
): void {
  if (role !== "cleanup" || spec === undefined) return;
  const declared = slot < spec.callbacks.cleanup;
  if (declared && message !== null) breach("RECORD", "its plan declares it, but it was given something");
  if (!declared && message === null)
    breach("I4", `its owner declares ${spec.callbacks.cleanup} cleanups, and did not register it`);
  if (!declared && parent.kind !== "task") breach("I4", `it was registered by a ${parent.kind}`);
}

/** Nothing starts before its turn. */
function checkTurn(
  record: SignatureRecord,
  { parent, previous, parentSpec, itemCleanups }: Surroundings,
  breach: Report,
): void {
  if (parent === undefined || isOfLifeBefore(record, parent)) return;
  const family = parent.family ?? NO_FAMILY;
  const started = hasStarted(record);
  if (record.role === "step") {
    if (started && record.slot > family.succeeded) {
      breach("I6", `it was started while its chain stands at step ${family.succeeded}`);
    }
    if (started && record.slot > 0) {
      if (previous === undefined) breach("I6", "it was started, but the step before it is missing");
      else if (previous.status !== "SUCCEEDED")
        breach("I6", `it was started, but the step before it is ${previous.status}`);
    }
    if (record.slot < family.succeeded && record.status !== "SUCCEEDED") {
      breach("I6", `its chain stands at step ${family.succeeded}, but it is ${record.status}`);
    }
  }
  if (!isCallback(record.role)) return;
  // Those of earlier generations followed outcomes that are gone.
  if (generationIn(record.id) !== parent.generation) return;
  checkOccasion(record, parent, breach);
  checkTwin(record, parent, parentSpec, breach);
  if (isCleanup(record.role) && started) {
    const turn = cleanupTurn(record, parent, itemCleanups);
    if (family.uncleaned > 0)
      breach("I4", "it was started while something inside its owner was not cleaned up");
    if (turn !== null && turn > family.cleanupsEnded)
      breach("I4", "it was started before the cleanup before it had ended");
  }
}

/** A callback exists for the outcome that its owner had; what it registers while it runs waits for one. */
function checkOccasion(record: SignatureRecord, parent: SignatureRecord, breach: Report): void {
  const { role } = record;
  const cleanup = isCleanup(role);
  const law = cleanup ? "I4" : "I3";
  if (!isEnded(parent.status) && parent.status !== "INTERRUPTED") {
    if (isTwin(record) && parent.attempt > 0 && !hasStarted(record)) return;
    breach(law, `it is a ${role} callback of "${parent.id}", which has not ended`);
    return;
  }
  const wanted = role === "success" || role === "itemSuccess" ? "SUCCEEDED" : "FAILED";
  const fits = cleanup ? parent.status !== "SKIPPED" : parent.status === wanted;
  if (!fits) breach(law, `it is a ${role} callback, but its owner is ${parent.status}`);
}

/** True once somebody has told it to start, even when it was held. */
export function hasStarted({ status, readyAt, prior, attempt }: SignatureRecord): boolean {
  return readyAt !== null || attempt > 0 || status === "RUNNING" || prior === "RUNNING";
}
