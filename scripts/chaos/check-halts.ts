import { type Given, overlap, reaches } from "./given.ts";
import type { Entry } from "./history.ts";
import type { Verb } from "./orders.ts";
import type { Violation } from "./violation.ts";

/** What ends the calm that an order has brought, when it is given to the same signature or to one above. */
const LIFTS: Readonly<Partial<Record<Verb, readonly Verb[]>>> = {
  // What is stopped while it is suspended cleans up.
  suspend: ["resume", "rerun", "interrupt", "cancel"],
  interrupt: ["resume", "rerun"],
  cancel: [],
};

/**
 * Once a suspension, an interruption or a cancellation was acknowledged, no worker takes anything in it until somebody asks for
 * that; cleanups of what was stopped apart. `history` is of one workflow.
 */
export function checkHalts(
  history: readonly Entry[],
  given: readonly Given[],
  goneAt: number,
  report: (found: Violation) => void,
): void {
  for (const order of given) {
    const { verb, id, fate, toldAt } = order;
    const lifts = LIFTS[verb];
    if (lifts === undefined || fate !== "done") continue;
    const lifting = given.filter(
      (other) =>
        other !== order && lifts.includes(other.verb) && reaches(other, id) && other.fate !== "refused",
    );
    if (lifting.some((other) => overlap(order, other))) continue;
    const until = Math.min(
      ...lifting.filter(({ askedAt }) => askedAt >= toldAt).map(({ askedAt }) => askedAt),
    );
    const status = history.findLast((entry) => entry.id === id && entry.seq <= toldAt)?.status;
    // What had been cancelled before is stopped for good, and stays so.
    const stands = { suspend: ["SUSPENDED"], interrupt: ["INTERRUPTED", "SUCCEEDED", "CANCELLED"] }[
      verb as string
    ];
    if (stands !== undefined && goneAt > toldAt && !stands.includes(status!)) {
      report({ kind: "halfDone", detail: `${verb} of ${id} was acknowledged, and it is ${status}` });
      continue;
    }
    // A task that ends well within its grace is not interrupted.
    if (verb === "interrupt" && status !== "INTERRUPTED") continue;
    for (const { seq, claimed, born, id: inside, generation } of history) {
      if (seq <= toldAt || seq > until || !reaches(order, inside)) continue;
      if (verb !== "suspend" && standsInCleanup(inside, id)) continue;
      const kind = KIND[verb as keyof typeof KIND];
      if (claimed)
        report({
          kind,
          detail: `${inside} (generation ${generation}) was taken after the ${verb} of ${id} was acknowledged`,
        });
      // What ends well within the grace of an interruption has callbacks, which wait for the resume.
      if (born && verb === "cancel")
        report({ kind, detail: `${inside} was stored after the cancel of ${id} was acknowledged` });
    }
  }
  checkGrace(history, report);
}

const KIND = {
  suspend: "startedSuspended",
  interrupt: "startedInterrupted",
  cancel: "startedCancelled",
} as const;

/** What ends after the grace, and of what is cancelled whatever ends, has no effect. */
function checkGrace(history: readonly Entry[], report: (found: Violation) => void): void {
  const before = new Map<string, Entry>();
  for (const entry of history) {
    const { id, kind, status, finishedAt } = entry;
    const last = before.get(id);
    before.set(id, entry);
    if (kind !== "task" || last?.status !== "RUNNING" || last.stop === null) continue;
    if (status !== "SUCCEEDED" && status !== "FAILED") continue;
    if (last.stop === "cancel")
      report({ kind: "startedCancelled", detail: `${id} became ${status} after it was cancelled` });
    else if (status === "FAILED" || finishedAt! > last.stopUntil!)
      report({
        kind: "startedInterrupted",
        detail: `${id} became ${status} ${finishedAt! - last.stopUntil!} ms after its grace`,
      });
  }
}

/** True for a cleanup of `above` or of something inside it, and for what is inside such a cleanup. */
function standsInCleanup(id: string, above: string): boolean {
  return /\.(?:cleanup|itemCleanup)\d/.test(id.slice(above.length));
}
