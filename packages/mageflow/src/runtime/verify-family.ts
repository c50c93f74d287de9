import { isCallback, isCleanup, type Role } from "../core/ids.ts";
import { WIDEST_WINDOW } from "../core/plan.ts";
import { type Family, MILESTONE, NO_FAMILY, type SignatureRecord } from "../core/record.ts";
import { isEnded } from "../core/status.ts";
import { generationIn, isAhead, isOfLifeBefore } from "./verify-generation.ts";
import { type Finding, hasStarted, isTwin, type Report } from "./verify-signature.ts";
import type { CallbackCounts, SpecDigest } from "./verify-specs.ts";
import { isAwaited, isOverlooked } from "./verify-stop.ts";

/**
 * What the children and callbacks of one signature add up to, counted one by one. Counters tell of what the parent was credited
 * with, so `credited` decides here, not `milestone`.
 */
export interface Recount {
  children: number;
  highestSlot: number;
  unsettled: number;
  uncleaned: number;
  active: number;
  succeeded: number;
  failed: number;
  skipped: number;
  cleanupsEnded: number;
  cleanupsFailed: number;
  halting: number;
  /** Children that go on in what has stopped, and were not told. */
  overlooked: number;
  /** Children that have not ended, and would be skipped if the container had. */
  open: number;
  /** Children that a worker runs. */
  running: number;
  /** Children that have been told to start. */
  started: number;
  /** Children that could be started, and the lowest slot of one. */
  startable: number;
  lowestStartable: number;
  /** Children whose milestone the parent has not taken. */
  owing: number;
  /** Callbacks of the generation that is counted, by role. */
  callbacks: Map<Role, number>;
  /** Those among them that the task has registered itself. */
  twins: number;
}

export function newRecount(): Recount {
  return {
    children: 0,
    highestSlot: -1,
    unsettled: 0,
    uncleaned: 0,
    active: 0,
    succeeded: 0,
    failed: 0,
    skipped: 0,
    cleanupsEnded: 0,
    cleanupsFailed: 0,
    halting: 0,
    overlooked: 0,
    open: 0,
    running: 0,
    started: 0,
    startable: 0,
    lowestStartable: Number.POSITIVE_INFINITY,
    owing: 0,
    callbacks: new Map(),
    twins: 0,
  };
}

/** Adds a child or callback of `parent` to its recount. */
export function count(recount: Recount, parent: SignatureRecord, child: SignatureRecord): void {
  if (isAwaited(child, parent)) recount.halting++;
  if (isOfLifeBefore(child, parent)) {
    // It counts as what it will be when it has been reset.
    recount.children++;
    recount.highestSlot = Math.max(recount.highestSlot, child.slot);
    recount.unsettled++;
    return;
  }
  if (child.credited < MILESTONE.SETTLED) recount.unsettled++;
  if (child.credited < child.milestone) recount.owing++;
  if (isCallback(child.role)) {
    if (generationIn(child.id) !== parent.generation) return;
    recount.callbacks.set(child.role, (recount.callbacks.get(child.role) ?? 0) + 1);
    if (isTwin(child)) recount.twins++;
    if (!isCleanup(child.role) || child.credited === MILESTONE.OPEN) return;
    recount.cleanupsEnded++;
    if (child.status === "FAILED") recount.cleanupsFailed++;
    return;
  }
  recount.children++;
  recount.highestSlot = Math.max(recount.highestSlot, child.slot);
  if (!isEnded(child.status) && child.status !== "INTERRUPTED") recount.open++;
  if (isOverlooked(child, parent)) recount.overlooked++;
  if (child.status === "RUNNING" && child.kind === "task") recount.running++;
  if (hasStarted(child)) recount.started++;
  if (child.status === "PENDING" && child.heldBy === null && child.readyAt === null) {
    recount.startable++;
    recount.lowestStartable = Math.min(recount.lowestStartable, child.slot);
  }
  if (child.credited === MILESTONE.OPEN) {
    if (child.readyAt !== null && child.role === "item") recount.active++;
    return;
  }
  if (child.credited === MILESTONE.ENDED) recount.uncleaned++;
  if (child.status === "SUCCEEDED") recount.succeeded++;
  else if (child.status === "FAILED") recount.failed++;
  else recount.skipped++;
}

/** What a signature's counters and callbacks must satisfy, given what its children and callbacks add up to. */
export function checkFamily(
  record: SignatureRecord,
  recount: Readonly<Recount>,
  specs: { own: SpecDigest | undefined; parent: SpecDigest | undefined },
): Finding[] {
  const findings: Finding[] = [];
  const breach: Report = (invariant, message) =>
    void findings.push({ invariant, severity: "breach", message });
  const family = record.family ?? NO_FAMILY;
  checkCounters(record, family, recount, breach);
  checkCallbacks(record, recount, specs, breach);
  if (record.kind !== "task") checkContainer(record, family, recount, specs.own, breach);
  return findings;
}

const COUNTED = [
  "unsettled",
  "uncleaned",
  "active",
  "succeeded",
  "failed",
  "skipped",
  "cleanupsEnded",
  "cleanupsFailed",
  "halting",
] as const;

function checkCounters(
  record: SignatureRecord,
  family: Family,
  recount: Readonly<Recount>,
  breach: Report,
): void {
  for (const name of COUNTED) {
    if (family[name] !== recount[name]) {
      breach("I5", `its counter "${name}" is ${family[name]}, but a recount gives ${recount[name]}`);
    }
  }
  if (family.total !== recount.children || recount.highestSlot !== family.total - 1) {
    const last = recount.highestSlot === -1 ? "" : `, the last in slot ${recount.highestSlot}`;
    breach("I5", `it should have ${family.total} children, but has ${recount.children}${last}`);
  }
  const cleanups = of(recount, "cleanup") + of(recount, "itemCleanup");
  if (family.cleanups !== cleanups) {
    breach("I4", `its counter "cleanups" is ${family.cleanups}, but ${cleanups} are stored`);
  }
}

/** Each callback of the outcome is stored, and no other but what the task has registered itself. */
function checkCallbacks(
  record: SignatureRecord,
  recount: Readonly<Recount>,
  { own, parent }: { own: SpecDigest | undefined; parent: SpecDigest | undefined },
  breach: Report,
): void {
  if (own === undefined || (record.role === "item" && parent === undefined)) return;
  const none = { success: 0, error: 0, cleanup: 0 };
  const expect = (declared: CallbackCounts, roles: readonly [Role, Role, Role]): void => {
    const { success, error, cleanup } = declared;
    const wanted = [
      record.status === "SUCCEEDED" ? success : 0,
      record.status === "FAILED" ? error : 0,
      isCleaned(record) ? cleanup : 0,
    ];
    for (const [at, role] of roles.entries()) {
      const stored = of(recount, role) - (role === "cleanup" ? recount.twins : 0);
      if (stored === wanted[at]) continue;
      // It was interrupted before it was cancelled, and was cleaned up for that.
      if (record.status === "CANCELLED" && isCleanup(role) && stored === cleanup) continue;
      const law = isCleanup(role) ? "I4" : "I3";
      breach(
        law,
        `it is ${record.status} and should have ${wanted[at]} ${role} callbacks, but ${stored} are stored`,
      );
    }
  };
  expect(own.callbacks, ["success", "error", "cleanup"]);
  const items = record.role === "item" ? parent!.itemCallbacks : none;
  expect(items, ["itemSuccess", "itemError", "itemCleanup"]);
}

/** True for what has come to an end that calls for cleanups: it was reached, or was itself what was stopped. */
function isCleaned({ status, stop, attempt, startedAt }: SignatureRecord): boolean {
  if (status === "CANCELLED") return stop?.own === true || attempt > 0 || startedAt !== null;
  return status === "INTERRUPTED" || (isEnded(status) && status !== "SKIPPED");
}

function checkContainer(
  record: SignatureRecord,
  family: Family,
  recount: Readonly<Recount>,
  spec: SpecDigest | undefined,
  breach: Report,
): void {
  const { status, kind, sweep, stop } = record;
  const ended = family.succeeded + family.failed + family.skipped;
  if (ended > family.total) breach("I5", `${ended} of its ${family.total} children have ended`);
  if (kind === "swarm" && spec !== undefined) {
    const limit = spec.stopAfterFailures;
    if (family.stopping !== (limit !== null && family.failed > limit)) {
      const is = family.stopping ? "it is" : "it is not";
      breach("I5", `${is} past its failures with ${family.failed} of them and a limit of ${limit}`);
    }
    const most = spec.concurrency ?? WIDEST_WINDOW;
    const busy = Math.max(family.active, recount.running);
    if (busy > most) breach("I5", `${busy} of its items are active, more than its concurrency of ${most}`);
  }
  if (recount.overlooked > 0)
    breach("I9", `it has stopped, but ${recount.overlooked} of its children go on and were not told`);
  const begun = record.startedAt !== null || status === "SKIPPED";
  if ((!begun || isAhead(record)) && recount.started > 0)
    breach("I6", `it is ${status} and has not begun, but ${recount.started} of its children were started`);
  if (isEnded(status)) {
    checkOutcome(record, family, breach);
    if (sweep === null && stop === null && recount.open > 0) {
      breach(
        "I1",
        `it is ${status}, but ${recount.open} of its children have neither ended nor are being skipped`,
      );
    }
  } else if (status === "RUNNING" && sweep === null) {
    checkMoving(record, family, recount, spec, breach);
  }
}

/** The outcome follows from the children. */
function checkOutcome({ kind, status }: SignatureRecord, family: Family, breach: Report): void {
  const { total, succeeded, failed, skipped, stopping } = family;
  if (status === "SKIPPED" || status === "CANCELLED") return;
  const ended = succeeded + failed + skipped;
  if (kind === "swarm" && ended !== total)
    breach("I5", `it is ${status}, but ${total - ended} of its items have not ended`);
  const good =
    kind === "chain"
      ? succeeded === total
      : kind === "swarm"
        ? !stopping && (total === 0 || failed < total)
        : null;
  if (good !== null && good !== (status === "SUCCEEDED")) {
    breach(
      "I2",
      `it is ${status} with ${succeeded} succeeded, ${failed} failed and ${skipped} skipped of ${total}`,
    );
  }
}

/** A running container with nothing to sweep has something inside that moves it on. */
function checkMoving(
  { kind }: SignatureRecord,
  family: Family,
  recount: Readonly<Recount>,
  spec: SpecDigest | undefined,
  breach: Report,
): void {
  const { total, active, succeeded, failed, skipped, open, stopping } = family;
  if (recount.owing > 0) return;
  if (succeeded + failed + skipped === total && (!open || stopping)) {
    breach("I1", "all of its children have ended, but it is still RUNNING");
  }
  if (kind === "chain") {
    if (failed > 0) breach("I1", "a step of it has failed, but it is still RUNNING");
    else if (recount.lowestStartable === succeeded)
      breach("I1", `its step ${succeeded} has its turn, but was never started`);
  }
  if (kind === "swarm" && recount.startable > 0) {
    if (stopping)
      breach("I1", `it is past its failures, but ${recount.startable} pending items are not being skipped`);
    else if (spec !== undefined && active < (spec.concurrency ?? WIDEST_WINDOW)) {
      breach(
        "I1",
        `it has free slots (${active} active) and ${recount.startable} pending items, but starts none`,
      );
    }
  }
}

function of(recount: Readonly<Recount>, role: Role): number {
  return recount.callbacks.get(role) ?? 0;
}
