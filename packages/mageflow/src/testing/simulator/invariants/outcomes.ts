import type { SwarmSpec, TaskSpec } from "../../../core/plan.ts";
import type { SignatureRecord } from "../../../core/record.ts";
import { hasEnded, type Shadow } from "../shadow.ts";
import type { Invariant, Report } from "./invariant.ts";

const FIXED = [
  "status",
  "result",
  "error",
  "attempt",
  "epoch",
  "recoveries",
  "startedAt",
  "finishedAt",
] as const;
const PLACE = ["rootId", "parentId", "role", "slot", "kind", "name", "spec", "createdAt"] as const;

/** I2: one immutable outcome per generation, and the right one for what is inside; and a next one for what may have it. */
export const outcomes: Invariant = {
  name: "I2 outcomes",
  check(shadow, { changed }, report) {
    for (const { before, now } of changed) {
      if (before === null) continue;
      for (const field of PLACE) {
        if (before[field] !== now[field])
          report(`${now.id}: ${field} changed from ${before[field]} to ${now[field]}`);
      }
      if (now.key !== (isGoing(now) ? null : before.key)) report(`${now.id}: key changed to ${now.key}`);
      if (before.bound !== now.bound && (before.startedAt !== null || before.attempt > 0))
        report(`${now.id} had started; then what is bound to it changed`);
      if (now.generation !== before.generation) {
        renewed(shadow, before, now, report);
        if (hasEnded(now)) ended(shadow, before, now, report);
      } else if (hasEnded(before)) {
        for (const field of FIXED) {
          // What is cancelled still hears of what is inside it, and tells nobody.
          if (before.status === "CANCELLED" && (field === "result" || field === "error")) continue;
          if (JSON.stringify(before[field]) !== JSON.stringify(now[field])) {
            report(
              `${now.id} had ended ${before.status}; then its ${field} changed to ${JSON.stringify(now[field])}`,
            );
          }
        }
        if (now.milestone < before.milestone) report(`${now.id} went back to milestone ${now.milestone}`);
      } else if (hasEnded(now)) {
        ended(shadow, before, now, report);
      }
    }
  },
};

/** Only what was interrupted goes on, and only a root that has come to its very end begins again, with all that is inside. */
function renewed(shadow: Shadow, before: SignatureRecord, now: SignatureRecord, report: Report): void {
  const { id, generation, origin } = now;
  if (generation < before.generation) report(`${id} went back to generation ${generation}`);
  if (before.stop?.verb === "cancel") report(`${id} was cancelled and has generation ${generation}`);
  if (origin === before.origin) {
    if (hasEnded(before)) report(`${id} had ended ${before.status} and goes on in generation ${generation}`);
    return;
  }
  if (origin <= before.generation || origin > generation) report(`${id} begins in generation ${origin}`);
  if (!hasEnded(before)) report(`${id} begins again, it was ${before.status}`);
  const isOpen = before.milestone < 3 || now.deletion?.purged === true;
  if (now.role === "root") {
    if (isOpen) report(`${id} begins again before all of it had ended, or after it was removed`);
  } else if (shadow.parent(now)!.origin === 1) report(`${id} begins again, its container does not`);
}

function ended(shadow: Shadow, before: SignatureRecord, now: SignatureRecord, report: Report): void {
  const { id, kind, status } = now;
  if (now.finishedAt === null) report(`${id} ended ${status} without an instant`);
  if (status === "CANCELLED") return cancelled(shadow, now, report);
  if (status === "SKIPPED") skipped(shadow, before, now, report);
  else if (kind === "chain") chain(shadow, now, report);
  else if (kind === "swarm") swarm(shadow, now, report);
  else if (status === "SUCCEEDED" && now.result === null) report(`${id} succeeded without a result`);
  if (status === "FAILED" && now.error === null) report(`${id} failed without an error`);
  if (kind === "task" && now.attempt > (shadow.spec(now) as TaskSpec).retry.attempts) {
    report(`${id} had ${now.attempt} attempts, more than its retry allows`);
  }
}

/** Only by an order that came from the root. */
function cancelled(shadow: Shadow, now: SignatureRecord, report: Report): void {
  if (now.stop?.verb !== "cancel" || shadow.get(now.rootId).stop?.verb !== "cancel")
    report(`${now.id} is CANCELLED, nobody ordered it`);
}

/** Only what was never reached is skipped: something around it must have failed or been skipped. */
function skipped(shadow: Shadow, before: SignatureRecord, now: SignatureRecord, report: Report): void {
  const begun = now.generation === before.generation && before.status === "RUNNING";
  if (now.attempt > 0 || now.startedAt !== null || begun)
    report(`${now.id} was skipped although it had begun`);
  const parent = shadow.parent(now);
  const lost =
    parent !== null &&
    (parent.status === "FAILED" || parent.status === "SKIPPED" || parent.family?.stopping === true);
  if (!lost)
    report(`${now.id} was skipped under ${parent?.id ?? "nothing"}, which is ${parent?.status ?? "nothing"}`);
}

function chain(shadow: Shadow, now: SignatureRecord, report: Report): void {
  const steps = shadow.children(now.id);
  const failed = steps.filter(({ status }) => status === "FAILED");
  if (now.status === "SUCCEEDED" && steps.some(({ status }) => status !== "SUCCEEDED")) {
    report(`chain ${now.id} succeeded with steps ${steps.map(({ status }) => status).join(", ")}`);
  }
  if (now.status === "FAILED") {
    if (failed.length !== 1) report(`chain ${now.id} failed with ${failed.length} failed steps`);
    else if (JSON.stringify(failed[0]!.error) !== JSON.stringify(now.error)) {
      report(`chain ${now.id} failed with another error than its step ${failed[0]!.id}`);
    }
  }
}

function swarm(shadow: Shadow, now: SignatureRecord, report: Report): void {
  const spec = shadow.spec(now) as SwarmSpec;
  const items = shadow.children(now.id);
  const open = items.filter((item) => !hasEnded(item));
  if (open.length > 0)
    report(`swarm ${now.id} ended with ${open.length} open items, ${open[0]!.id} among them`);
  const failures = items.filter(({ status }) => status === "FAILED").length;
  const over = spec.stopAfterFailures !== null && failures > spec.stopAfterFailures;
  const allFailed = items.length > 0 && failures === items.length;
  if ((now.status === "FAILED") !== (over || allFailed)) {
    report(`swarm ${now.id} ended ${now.status} with ${failures} of ${items.length} items failed`);
  }
  if (now.family!.open && !over) report(`swarm ${now.id} ended while it was open`);
}

/** A root that is cancelled or removed gives up its key, and no other does. */
function isGoing({ role, stop, deletion }: SignatureRecord): boolean {
  return role === "root" && (stop?.verb === "cancel" || deletion?.purged === true);
}
