import { standsInPlan } from "../../../core/ids.ts";
import type { SignatureRecord } from "../../../core/record.ts";
import { OFF } from "../../../core/recovery.ts";
import type { Shadow } from "../shadow.ts";
import type { Invariant } from "./invariant.ts";

/**
 * I9: once a signature has stopped, or its workflow is cancelled, nothing inside it begins but cleanups, also as long as it waits for its
 * turn to go on; nothing but cleanups follows from it, and it is done only when nothing inside it is under way. What stops never gets longer to do so, and
 * the rules of auto-resume stop nothing in a callback.
 */
export const halts: Invariant = {
  name: "I9 halts",
  check(shadow, { changed }, report) {
    for (const { before, now } of changed) {
      const above = stoppedAbove(shadow, now);
      if (now.kind === "task" && now.status === "RUNNING" && above !== null) {
        const taken = before?.status !== "RUNNING" || before.epoch !== now.epoch;
        if (taken) report(`${now.id} began although ${above.id} is ${told(above)}`);
      }
      const follows = before === null && (now.role.endsWith("uccess") || now.role.endsWith("rror"));
      // One that is born and told to stop in one commit had its occasion first.
      if (follows && above?.stop?.verb === "cancel" && now.status !== "CANCELLED")
        report(`${now.id} was recorded although ${above.id} is cancelled`);
      const forbids = now.stop?.reason === OFF && before?.stop?.reason !== OFF;
      if (forbids && !standsInPlan(now.id)) report(`${now.id} was parked though what it follows has ended`);
      const done = now.stop?.done === true && before?.stop?.done !== true;
      if (done) quiet(shadow, now, now, report);
      const [earlier, later] = [before?.stop, now.stop];
      if (
        before?.generation === now.generation &&
        earlier?.done === false &&
        later &&
        later.until > earlier.until
      )
        report(`${now.id} had until ${earlier.until} to stop and has until ${later.until}`);
    }
  },
};

/** The nearest above that keeps it from beginning, cleanups excepted. */
function stoppedAbove(shadow: Shadow, record: SignatureRecord): SignatureRecord | null {
  let at = record;
  while (at.role !== "cleanup" && at.role !== "itemCleanup") {
    const parent = shadow.parent(at);
    if (parent === null) return null;
    if (parent.status === "INTERRUPTED" || parent.status === "CANCELLED" || parent.stop?.verb === "cancel")
      return parent;
    if (waitsToGoOn(parent)) return parent;
    at = parent;
  }
  return null;
}

function waitsToGoOn({ kind, status, generation }: SignatureRecord): boolean {
  return kind !== "task" && generation > 1 && (status === "PENDING" || status === "WAITING");
}

function told({ status, stop }: SignatureRecord): string {
  return stop?.verb === "cancel" ? "cancelled" : status;
}

/** Nothing runs in what has stopped, and everything that had begun in it has been cleaned up. */
function quiet(
  shadow: Shadow,
  stopped: SignatureRecord,
  at: SignatureRecord,
  report: (what: string) => void,
): void {
  for (const callback of shadow.callbacks(at.id)) {
    const cleans = callback.role === "cleanup" || callback.role === "itemCleanup";
    const open = callback.milestone === 0 && callback.status !== "CANCELLED";
    if (cleans && open && at.startedAt !== null)
      report(`${stopped.id} is done before the cleanup ${callback.id}, which is ${callback.status}`);
    if (!cleans && stopped.stop!.verb === "cancel") one(callback);
  }
  for (const child of shadow.children(at.id)) one(child);

  function one(inner: SignatureRecord): void {
    if (inner.kind === "task" && inner.status === "RUNNING")
      report(`${stopped.id} is done while ${inner.id} runs`);
    if (inner.startedAt !== null) quiet(shadow, stopped, inner, report);
  }
}
