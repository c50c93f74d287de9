import { isCallback, isCleanup } from "../core/ids.ts";
import { MILESTONE, NO_FAMILY, type SignatureRecord } from "../core/record.ts";
import { isEnded } from "../core/status.ts";
import { generationIn } from "./verify-generation.ts";
import type { Report } from "./verify-signature.ts";

/** What an order to stop must look like, and what must have come of it. */

/** True when nothing inside may start any more, cleanups excepted. */
export function hasStopped({ status, stop }: SignatureRecord): boolean {
  return status === "INTERRUPTED" || status === "CANCELLED" || stop?.verb === "cancel";
}

/** True for what `parent` has told to stop and has not heard of. A swarm past its limit tells its items without being told itself. */
export function isAwaited({ stop }: SignatureRecord, parent: SignatureRecord): boolean {
  return stop?.by === parent.id && !stop.done && stop.verb === (parent.stop?.verb ?? "interrupt");
}

/** True for a step or item that is under way in what has stopped, or, when that is cancelled, has callbacks that are, and was not told. */
export function isOverlooked({ status, stop, milestone }: SignatureRecord, parent: SignatureRecord): boolean {
  if (!hasStopped(parent) || parent.sweep !== null) return false;
  if (parent.stop?.verb === "interrupt") return status === "RUNNING" && stop === null;
  if (stop?.verb === "cancel") return false;
  return isEnded(status)
    ? milestone !== MILESTONE.SETTLED
    : status === "READY" || status === "RUNNING" || status === "WAITING";
}

/** True when what was stopped has nothing left to wait for. */
function isQuiet({ status, sweep, family, milestone }: SignatureRecord): boolean {
  const { halting, uncleaned, cleanups, cleanupsEnded } = family ?? NO_FAMILY;
  if (sweep !== null || halting > 0) return false;
  // What had ended before it was cancelled has a milestone that tells.
  if (isEnded(status) && status !== "CANCELLED") return milestone >= MILESTONE.CLEANED;
  return uncleaned === 0 && cleanupsEnded === cleanups;
}

export function checkStop(
  record: SignatureRecord,
  parent: SignatureRecord | undefined,
  breach: Report,
): void {
  const { status, stop } = record;
  if (stop !== null) {
    checkOrder(record, breach);
    checkCarriedOut(record, breach);
    if (parent !== undefined) checkGivenBy(record, parent, breach);
  } else if (status === "INTERRUPTED" || status === "CANCELLED") {
    breach("RECORD", `it is ${status}, but nobody ordered it`);
  }
  if (parent !== undefined) checkInside(record, parent, breach);
  checkDeletion(record, breach);
}

/** The order fits the status and the place. */
function checkOrder(record: SignatureRecord, breach: Report): void {
  const { status, kind, parentId, heldBy } = record;
  const { verb, by, own, done, resumes } = record.stop!;
  const fits =
    status === "INTERRUPTED"
      ? verb === "interrupt"
      : isEnded(status)
        ? verb === "cancel"
        : status === "RUNNING" && kind === "task";
  if (!fits) breach("RECORD", `it is a ${kind} that is ${status}, but has an order to ${verb}`);
  if (status === "RUNNING" && done) breach("RECORD", "it is RUNNING, but says that it has stopped");
  if (by !== null && by !== parentId) breach("RECORD", `"${by}" told it to stop, which is not what it is in`);
  if (by === null && !own) breach("RECORD", "it stops along with a container, but none told it to");
  if (done && resumes) breach("RECORD", "it has stopped and is to go on, but does not");
  if (status === "INTERRUPTED" && heldBy !== (own ? null : by)) {
    const says = heldBy === null ? "by nothing" : `by "${heldBy}"`;
    breach("RECORD", `it was stopped ${own ? "by itself" : `along with "${by}"`}, but is held ${says}`);
  }
}

function checkCarriedOut(record: SignatureRecord, breach: Report): void {
  const { status, stop } = record;
  if (status === "RUNNING") return;
  const quiet = isQuiet(record);
  if (stop!.done && !quiet) breach("I9", "it says that it has stopped, but something of it has not");
  if (!stop!.done && quiet) breach("I1", "everything of it has stopped, but it does not say so");
}

/** Whoever gave the order was told to stop as well, and waits for it. */
function checkGivenBy({ stop }: SignatureRecord, parent: SignatureRecord, breach: Report): void {
  const { verb, by, done } = stop!;
  if (verb === "cancel" && (by === null || parent.stop?.verb !== "cancel"))
    breach("I9", "it was cancelled, but what it is in was not");
  if (by !== parent.id || done) return;
  const { stop: order, family, sweep } = parent;
  const waits =
    order === null
      ? family?.stopping === true
      : !order.done && (order.verb === verb || (order.verb === "cancel" && sweep !== null));
  if (!waits) breach("I9", `it is to tell "${by}" that it has stopped, which does not wait for that`);
}

/** Nothing goes on in what has stopped. */
function checkInside(record: SignatureRecord, parent: SignatureRecord, breach: Report): void {
  const { role, status, stop, milestone } = record;
  if (!isCallback(role)) {
    if (status === "RUNNING" && parent.stop?.done === true) breach("I9", "it is RUNNING in what has stopped");
    return;
  }
  if (isCleanup(role) || parent.stop?.verb !== "cancel" || generationIn(record.id) !== parent.generation)
    return;
  if (stop?.verb !== "cancel" && milestone !== MILESTONE.SETTLED)
    breach("I9", `it is a ${role} callback of what was cancelled, but was not told to stop`);
}

/** Only roots are removed, and what was cancelled is as soon as it has stopped. */
function checkDeletion(record: SignatureRecord, breach: Report): void {
  const { parentId, stop, deletion, generation } = record;
  const gone = stop?.verb === "cancel" && stop.done;
  if (parentId === null && gone && deletion?.action !== "cancel")
    breach("I9", "it was cancelled and has stopped, but is not marked for removal");
  if (deletion === null) return;
  if (parentId !== null) breach("RECORD", "it is inside a workflow, but is marked for deletion by itself");
  if (deletion.action === "cancel" && !gone)
    breach("I10", "it is marked for removal as if it were cancelled and had stopped");
  if (deletion.purged) breach("I10", "it was removed, but is still there");
  if (deletion.generation > generation)
    breach("I10", `it is marked in generation ${deletion.generation}, but is in generation ${generation}`);
}
