import type { StoredCause, StoredError } from "./errors.ts";
import { expand } from "./expand.ts";
import { continued } from "./generation.ts";
import { callbackId, type CallbackRole, isCleanup } from "./ids.ts";
import type { Callbacks, PlanNode } from "./plan.ts";
import {
  type Family,
  MILESTONE,
  type Milestone,
  NO_FAMILY,
  type SignatureRecord,
  type Stop,
  type Sweep,
} from "./record.ts";
import { type Addressed, after, type Credit, type Decision, unchanged } from "./signal.ts";
import { callbackPrefix, SpecNumbers } from "./spec-book.ts";
import { isEnded } from "./status.ts";
import { passing } from "./sweep.ts";
import { itemCallbacks, pathOf, type View } from "./view.ts";

/**
 * How a signature ends, and what follows: callbacks in the commit of the outcome, cleanups one after the other, and
 * the milestones that its parent is credited with.
 */
export type Ending =
  | { readonly status: "SUCCEEDED"; readonly result: string | null }
  | { readonly status: "FAILED"; readonly error: StoredError }
  | { readonly status: "SKIPPED" }
  /** By the order that stands in `stop`. */
  | { readonly status: "INTERRUPTED" | "CANCELLED" };

/**
 * Ends a signature. Success and error callbacks are stored and started; cleanups are stored in the same commit and
 * started by {@link proceed}. What was never reached has no callbacks.
 */
export function conclude(view: View, record: SignatureRecord, ending: Ending): Decision {
  const due = wasReached(record, ending) ? callbacksAt(view, record, ending.status) : NONE_DUE;
  const halts = isHalt(ending.status);
  // A leaf without callbacks has come to its end by its outcome.
  const milestone =
    !halts && record.family === null && due.length === 0 ? MILESTONE.SETTLED : record.milestone;
  const ended: SignatureRecord = {
    ...record,
    milestone,
    credited: milestone,
    status: ending.status,
    prior: null,
    heldBy: null,
    workerId: null,
    sweep: null,
    stop: null,
    // What is skipped may have started in a generation that was interrupted.
    startedAt: ending.status === "SKIPPED" ? null : record.startedAt,
    finishedAt: view.now,
    result: ending.status === "SUCCEEDED" ? ending.result : null,
    error: ending.status === "FAILED" ? ending.error : null,
    ...(halts ? haltedParts(record) : NO_PARTS),
  };
  if (milestone === MILESTONE.SETTLED) {
    return { ...unchanged(ended), send: [...answer(record, ending), ...credit(ended, record.credited)] };
  }
  const insert: SignatureRecord[] = [];
  const send: Addressed[] = answer(record, ending);
  if (due.length === 0) {
    const followed = proceed(view, ended);
    return send.length === 0 ? followed : { ...followed, send: [...send, ...followed.send] };
  }
  let cleanups = 0;
  for (const callback of due) {
    const id = callbackId(ended.id, callback.role, callback.slot, ended.generation);
    insert.push(...born(view, ended, callback, id));
    if (isCleanup(callback.role)) cleanups++;
    else send.push({ to: id, signal: { type: "start" } });
  }
  const family: Family = ended.family ?? NO_FAMILY;
  const followed = proceed(view, {
    ...ended,
    family: {
      ...family,
      unsettled: family.unsettled + due.length,
      // Those that it has registered itself are stored and counted already.
      cleanups: family.cleanups + cleanups,
    },
  });
  return { ...followed, insert, send: [...send, ...followed.send] };
}

/** What differs when a signature was stopped: it waits for what runs inside it, and may go on later. */
function haltedParts(record: SignatureRecord): Partial<SignatureRecord> {
  const { stop, epoch, kind, status, startedAt, sweep, family } = record;
  // What its children gave it while it ran is its own when it goes on.
  const { result, error } = kind === "task" ? { result: null, error: null } : record;
  // What an interrupt was passed on to before the cancel gets that too, and answers it. A swarm that is interrupted past its limit has
  // the answers to come that it waits for already.
  const outdoes = stop!.verb === "cancel" && family !== null && family.halting > 0;
  const counted = outdoes ? { ...family, halting: 0 } : family;
  return {
    family: counted,
    result,
    error,
    // What has not been reset yet is when it starts again.
    startedAt: sweep === "reset" ? null : startedAt,
    stop,
    heldBy: stop!.verb === "interrupt" && !stop!.own ? stop!.by : null,
    readyAt: null,
    epoch: kind === "task" && status === "RUNNING" ? epoch + 1 : epoch,
    sweep: kind === "task" ? null : haltSweep({ ...record, family: counted }),
  };
}

/** What a container that was stopped does before anything else; what has not started has nobody to tell. */
function haltSweep(record: SignatureRecord): Sweep | null {
  if (frees(record)) return "clean";
  return record.startedAt === null ? null : passing(record);
}

/** True for what may hold cleanups, which it must not hold when it is stopped. */
function frees({ status, sweep }: SignatureRecord): boolean {
  return status === "SUSPENDED" || sweep === "unhold" || sweep === "reset" || sweep === "clean";
}

const NO_PARTS: Partial<SignatureRecord> = {};

/** What those hear who wait for it: the swarm that gets a slot back, the container that told it to stop when it ends all the same. */
function answer({ role, readyAt, parentId, stop }: SignatureRecord, { status }: Ending): Addressed[] {
  if (!isHalt(status)) return stop === null ? [] : report(stop, true);
  return role === "item" && readyAt !== null ? [{ to: parentId!, signal: { type: "released" } }] : [];
}

/** Tells the container that passed the order on that it has been carried out. */
export function report({ by, verb }: Pick<Stop, "by" | "verb">, clean: boolean): Addressed[] {
  return by === null ? [] : [{ to: by, signal: { type: "halted", verb, clean } }];
}

function isHalt(status: Ending["status"]): status is "INTERRUPTED" | "CANCELLED" {
  return status === "INTERRUPTED" || status === "CANCELLED";
}

/** What was interrupted has been cleaned up; what is stopped along with its container counts when it had started. */
function wasReached({ status, attempt, startedAt, stop }: SignatureRecord, ending: Ending): boolean {
  if (ending.status === "SKIPPED" || status === "INTERRUPTED") return false;
  return ending.status !== "CANCELLED" || stop!.own || attempt > 0 || startedAt !== null;
}

/** The records of a callback. Its specs were stored with the one that declares it. */
function born(
  view: View,
  owner: SignatureRecord,
  { role, slot, plan, declaredBy }: Due,
  id: string,
): Iterable<SignatureRecord> {
  const { id: parentId, rootId, priority } = owner;
  const place = {
    id,
    rootId,
    parentId,
    role,
    slot,
    key: null,
    priority,
    message: null,
    tags: [],
    now: view.now,
    door: null,
  };
  return expand(plan, place, new SpecNumbers(callbackPrefix(declaredBy, role, slot)));
}

/**
 * After any change: starts the cleanup whose turn it is, and credits the parent with the milestone that is reached.
 * A cleanup's turn comes when everything inside has been cleaned up and the cleanup before it has ended.
 */
export function proceed(view: View, record: SignatureRecord): Decision {
  if (record.status === "INTERRUPTED" || record.status === "CANCELLED") return subside(view, record);
  if (!isEnded(record.status)) return unchanged(record);
  const followed = follow(view, record);
  return record.stop === null ? followed : after(followed, fallSilent(followed.record));
}

function follow(view: View, record: SignatureRecord): Decision {
  const family = record.family ?? NO_FAMILY;
  const milestone = reached(record);
  const cleans = isCleanInside(record) && family.cleanupsEnded < family.cleanups;
  if (!cleans && milestone === record.milestone) return unchanged(record);
  const send: Addressed[] = [];
  if (cleans) send.push({ to: cleanupId(view, record, family.cleanupsEnded), signal: { type: "start" } });
  if (milestone === record.milestone) return { ...unchanged(record), send };
  const next: SignatureRecord = { ...record, milestone, credited: milestone };
  send.push(...credit(next, record.credited));
  return { ...unchanged(next), send };
}

/** What was cancelled after it had ended is done when its callbacks have stopped, and all of it has been cleaned up. */
function fallSilent(record: SignatureRecord): Decision {
  const stop = record.stop!;
  const halting = record.family?.halting ?? 0;
  if (stop.done || record.sweep !== null || halting > 0 || record.milestone < MILESTONE.CLEANED)
    return unchanged(record);
  return { ...unchanged({ ...record, stop: { ...stop, done: true } }), send: report(stop, stop.clean) };
}

/**
 * The same for what was stopped: its cleanups begin when everything inside has stopped and cleaned up. Its parent is not credited
 * by it, for it may go on; the container on whose behalf it stopped hears that it has.
 */
function subside(view: View, record: SignatureRecord): Decision {
  const stop = record.stop!;
  const { halting, uncleaned, cleanups, cleanupsEnded } = record.family ?? NO_FAMILY;
  if (stop.done || record.sweep !== null || halting > 0 || uncleaned > 0) return unchanged(record);
  if (cleanupsEnded < cleanups) {
    return {
      ...unchanged(record),
      send: [{ to: cleanupId(view, record, cleanupsEnded), signal: { type: "start" } }],
    };
  }
  const quiet = { ...record, stop: { ...stop, done: true } };
  const send = report(stop, stop.clean);
  if (record.status === "CANCELLED" || !stop.resumes) return { ...unchanged(quiet), send };
  const next = continued(quiet);
  return { ...next, send: [...send, ...next.send] };
}

/**
 * True when everything inside has ended and been cleaned up: what was not reached is being skipped until then, or, when all of it was
 * cancelled, stays as it is.
 */
export function isCleanInside({ family, stop, sweep }: SignatureRecord): boolean {
  const { total, succeeded, failed, skipped, uncleaned, halting } = family ?? NO_FAMILY;
  const ended = succeeded + failed + skipped === total;
  return uncleaned === 0 && (ended || (stop !== null && sweep === null && halting === 0));
}

/** Tells the parent of a milestone. */
export function credit(child: SignatureRecord, from: Milestone): Addressed[] {
  return child.parentId === null
    ? []
    : [{ to: child.parentId, signal: { type: "credit", credits: [{ child, from }] } }];
}

/** The milestone of a signature that has ended, as its counters tell. */
export function reached(record: SignatureRecord): Milestone {
  const { cleanups, cleanupsEnded, unsettled } = record.family ?? NO_FAMILY;
  if (!isCleanInside(record) || cleanupsEnded < cleanups) return MILESTONE.ENDED;
  return unsettled > 0 ? MILESTONE.CLEANED : MILESTONE.SETTLED;
}

/**
 * Takes the milestones of children and callbacks into the counters, in one copy of the family. Outcome counters are the
 * container's own matter: `ended` is called for each step or item that is new among the ended.
 */
export function credited(
  record: SignatureRecord,
  credits: readonly Credit[],
  ended: (family: Family, child: SignatureRecord) => void = () => {},
): Family {
  const family = { ...(record.family ?? NO_FAMILY) };
  for (const { child, from } of credits) {
    const to = child.milestone;
    if (from < MILESTONE.SETTLED && to === MILESTONE.SETTLED) family.unsettled--;
    if (child.role === "step" || child.role === "item") {
      if (from === MILESTONE.ENDED) family.uncleaned--;
      if (to === MILESTONE.ENDED) family.uncleaned++;
      if (from === MILESTONE.OPEN) ended(family, child);
    } else if (isCleanup(child.role) && from === MILESTONE.OPEN) {
      family.cleanupsEnded++;
      if (child.status === "FAILED") family.cleanupsFailed++;
    }
  }
  return family;
}

interface Due {
  readonly role: CallbackRole;
  readonly slot: number;
  readonly plan: PlanNode;
  /** Id of the spec that declares it: its owner's, or that of its owner's swarm. */
  readonly declaredBy: string;
}

/** The callbacks of an outcome: the signature's own, then those its swarm declares for items. */
function callbacksAt(view: View, record: SignatureRecord, status: Ending["status"]): readonly Due[] {
  const own = view.spec(record).callbacks;
  const item = itemCallbacks(view, record);
  if (isEmpty(own) && isEmpty(item.callbacks)) return NONE_DUE;
  const due: Due[] = [];
  const add = (role: CallbackRole, plans: readonly PlanNode[], declaredBy: string): void => {
    for (let slot = 0; slot < plans.length; slot++) due.push({ role, slot, plan: plans[slot]!, declaredBy });
  };
  if (status === "SUCCEEDED") {
    add("success", own.success, record.spec);
    add("itemSuccess", item.callbacks.success, item.declaredBy);
  } else if (status === "FAILED") {
    add("error", own.error, record.spec);
    add("itemError", item.callbacks.error, item.declaredBy);
  }
  add("cleanup", own.cleanup, record.spec);
  add("itemCleanup", item.callbacks.cleanup, item.declaredBy);
  return due;
}

const NONE_DUE: readonly Due[] = [];

function isEmpty({ success, error, cleanup }: Callbacks): boolean {
  return success.length === 0 && error.length === 0 && cleanup.length === 0;
}

/** Ids of the callbacks that its outcome has started. */
export function followers(view: View, record: SignatureRecord): string[] {
  if (!isEnded(record.status) || record.status === "SKIPPED") return [];
  return callbacksAt(view, record, record.status)
    .filter(({ role }) => !isCleanup(role))
    .map(({ role, slot }) => callbackId(record.id, role, slot, record.generation));
}

/**
 * Cleanups run in the reverse of their registration: the signature's own first, what it has registered while it ran before what its plan
 * declares, then its swarm's for items.
 */
function cleanupId(view: View, record: SignatureRecord, turn: number): string {
  const item = itemCallbacks(view, record).callbacks.cleanup.length;
  const own = record.family!.cleanups - item;
  if (turn < own) return callbackId(record.id, "cleanup", own - 1 - turn, record.generation);
  return callbackId(record.id, "itemCleanup", item - 1 - (turn - own), record.generation);
}

/** The stored form of a failure, with the path from the root. */
export function failure(view: View, record: SignatureRecord, cause: StoredCause): StoredError {
  return { ...cause, attempts: record.attempt, path: pathOf(view, record) };
}
