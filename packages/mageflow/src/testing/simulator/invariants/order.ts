import type { SignatureRecord } from "../../../core/record.ts";
import { hasEnded, type Shadow } from "../shadow.ts";
import type { Invariant, Report } from "./invariant.ts";

/** I6 (order): a step begins when the one before it has succeeded, an item or a callback when it is its turn. */
export const order: Invariant = {
  name: "I6 order",
  check(shadow, { changed, now: at }, report) {
    for (const { before, now } of changed) {
      const was = before?.status ?? "PENDING";
      if (
        was !== "PENDING" ||
        (now.status !== "READY" && now.status !== "RUNNING" && now.status !== "WAITING")
      )
        continue;
      begins(shadow, now, report);
      // What goes on, or begins again, may have waited for its time already.
      if (now.generation > 1) continue;
      const { delay, stagger, at: earliest } = shadow.spec(now);
      const wants = delay > 0 || (earliest !== null && earliest > at);
      if (
        before !== null &&
        before.attempt === 0 &&
        before.dueAt === null &&
        wants &&
        now.status !== "WAITING"
      ) {
        report(`${now.id} began at once although it has a delay of ${delay} ms`);
      }
      if (
        now.status === "WAITING" &&
        now.attempt === 0 &&
        earliest === null &&
        before?.readyAt === null &&
        before.dueAt === null
      ) {
        const wait = now.dueAt! - at;
        if (now.dueAt === now.lock?.held?.until) continue;
        if (wait < delay || wait > delay + stagger)
          report(`${now.id} waits ${wait} ms, its delay is ${delay}`);
      }
    }
  },
};

function begins(shadow: Shadow, now: SignatureRecord, report: Report): void {
  const parent = shadow.parent(now);
  if (parent === null) return;
  if (now.role === "step") {
    const previous = shadow.children(parent.id).find(({ slot }) => slot === now.slot - 1);
    if (previous !== undefined && previous.status !== "SUCCEEDED") {
      report(`step ${now.id} began although the step before it is ${previous.status}`);
    }
  }
  const inside = now.role === "step" || now.role === "item";
  if (inside && hasEnded(parent)) report(`${now.id} began although ${parent.id} has ended ${parent.status}`);
  if (inside && parent.status === "PENDING") report(`${now.id} began before ${parent.id}`);
  if (!inside && !hasEnded(parent) && parent.status !== "INTERRUPTED")
    report(`the callback ${now.id} began before ${parent.id} had ended`);
}
