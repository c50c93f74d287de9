import type { StoredCause, StoredError } from "./errors.ts";
import { expand, SpecBook } from "./expand.ts";
import { callbackId, type CallbackRole, isCleanup } from "./ids.ts";
import type { PlanNode } from "./plan.ts";
import {
  type Family,
  MILESTONE,
  type Milestone,
  NO_FAMILY,
  type SignatureRecord,
  type SpecRow,
} from "./record.ts";
import type { Addressed, Credit, Decision } from "./signal.ts";
import { type EndedStatus, isEnded } from "./status.ts";
import { itemCallbacks, pathOf, type View } from "./view.ts";

/**
 * How a signature ends, and what follows: callbacks in the commit of the outcome, cleanups one after the other, and
 * the milestones that its parent is credited with.
 */
export type Ending =
  | { readonly status: "SUCCEEDED"; readonly result: string | null }
  | { readonly status: "FAILED"; readonly error: StoredError }
  | { readonly status: "SKIPPED" };

/**
 * Ends a signature. Success and error callbacks are stored and started; cleanups are stored in the same commit and
 * started by {@link proceed}. What was never reached (SKIPPED) has no callbacks.
 */
export function conclude(view: View, record: SignatureRecord, ending: Ending): Decision {
  const ended: SignatureRecord = {
    ...record,
    status: ending.status,
    prior: null,
    heldBy: null,
    workerId: null,
    sweep: null,
    finishedAt: view.now,
    result: ending.status === "SUCCEEDED" ? ending.result : null,
    error: ending.status === "FAILED" ? ending.error : null,
  };
  if (ending.status === "SKIPPED") return proceed(view, ended);
  const due = callbacksAt(view, ended, ending.status);
  if (due.length === 0) return proceed(view, ended);
  const insert: SignatureRecord[] = [];
  const specs: SpecRow[] = [];
  const send: Addressed[] = [];
  let cleanups = 0;
  for (const { role, slot, plan } of due) {
    const id = callbackId(ended.id, role, slot, ended.generation);
    const book = new SpecBook(ended.rootId, id);
    const place = {
      id,
      rootId: ended.rootId,
      parentId: ended.id,
      role,
      slot,
      key: null,
      priority: ended.priority,
      message: null,
      tags: [],
      now: view.now,
      door: null,
    };
    for (const born of expand(plan, place, book)) insert.push(born);
    specs.push(...book.take());
    if (isCleanup(role)) cleanups++;
    else send.push({ to: id, signal: { type: "start" } });
  }
  const family: Family = ended.family ?? NO_FAMILY;
  const followed = proceed(view, {
    ...ended,
    family: { ...family, unsettled: family.unsettled + due.length, cleanups },
  });
  return { ...followed, insert, specs, send: [...send, ...followed.send] };
}

/**
 * After any change: starts the cleanup whose turn it is, and credits the parent with the milestone that is reached.
 * A cleanup's turn comes when everything inside has been cleaned up and the cleanup before it has ended.
 */
export function proceed(view: View, record: SignatureRecord): Decision {
  if (!isEnded(record.status)) return { record, send: [], insert: [], specs: [], take: null };
  const family = record.family ?? NO_FAMILY;
  const send: Addressed[] = [];
  if (family.uncleaned === 0 && family.cleanupsEnded < family.cleanups) {
    send.push({ to: cleanupId(view, record, family.cleanupsEnded), signal: { type: "start" } });
  }
  const milestone = reached(family);
  if (milestone === record.milestone) return { record, send, insert: [], specs: [], take: null };
  const next: SignatureRecord = { ...record, milestone, credited: milestone };
  if (record.parentId !== null) {
    send.push({
      to: record.parentId,
      signal: { type: "credit", credits: [{ child: next, from: record.credited }] },
    });
  }
  return { record: next, send, insert: [], specs: [], take: null };
}

function reached(family: Family): Milestone {
  if (family.uncleaned > 0 || family.cleanupsEnded < family.cleanups) return MILESTONE.ENDED;
  return family.unsettled > 0 ? MILESTONE.CLEANED : MILESTONE.SETTLED;
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
}

/** The callbacks of an outcome: the signature's own, then those its swarm declares for items. */
function callbacksAt(view: View, record: SignatureRecord, status: EndedStatus): Due[] {
  const own = view.spec(record).callbacks;
  const item = itemCallbacks(view, record);
  const due: Due[] = [];
  const add = (role: CallbackRole, plans: readonly PlanNode[]): void => {
    for (const [slot, plan] of plans.entries()) due.push({ role, slot, plan });
  };
  if (status === "SUCCEEDED") {
    add("success", own.success);
    add("itemSuccess", item.success);
  } else {
    add("error", own.error);
    add("itemError", item.error);
  }
  add("cleanup", own.cleanup);
  add("itemCleanup", item.cleanup);
  return due;
}

/** Cleanups run in the reverse of their registration: the signature's own first, then its swarm's for items. */
function cleanupId(view: View, record: SignatureRecord, turn: number): string {
  const own = view.spec(record).callbacks.cleanup.length;
  if (turn < own) return callbackId(record.id, "cleanup", own - 1 - turn, record.generation);
  const item = itemCallbacks(view, record).cleanup.length;
  return callbackId(record.id, "itemCleanup", item - 1 - (turn - own), record.generation);
}

/** The stored form of a failure, with the path from the root. */
export function failure(view: View, record: SignatureRecord, cause: StoredCause): StoredError {
  return { ...cause, attempts: record.attempt, path: pathOf(view, record) };
}
