import type { Entry } from "./history.ts";
import type { Row } from "./ledger.ts";
import type { Violation } from "./violation.ts";

/**
 * What the handlers of steered tasks did, by the claims that the history tells of: each run under a claim of its own, results of the
 * claim that stood last, and no finished step a second time before a rerun. `rows` and `history` are of one workflow.
 */
export function checkClaims(
  rows: readonly Row[],
  history: readonly Entry[],
  report: (found: Violation) => void,
): void {
  const claims = new Map(
    history.filter(({ claimed }) => claimed).map((entry) => [`${entry.id} ${entry.epoch}`, entry]),
  );
  const ran = new Set<string>();
  const ended = new Set<string>();
  const keys = new Map<string, string>();
  /** By signature, origin and step: the epoch that finished it, and whose result it was. */
  const done = new Map<string, { epoch: number; of: number }>();
  for (const { what, id, epoch, generation, key, step, of } of rows) {
    if (id === undefined) continue;
    const run = `${id} ${epoch}`;
    const claim = claims.get(run);
    if (claim === undefined || claim.generation !== generation) {
      report({
        kind: "staleWrites",
        detail: `${id} ran in epoch ${epoch} of generation ${generation}, which nobody had taken`,
      });
      continue;
    }
    const life = `${id}@${generation}`;
    if ((keys.get(life) ?? key) !== key)
      report({ kind: "keysChanged", detail: `${life} ran under the keys ${keys.get(life)} and ${key}` });
    keys.set(life, key!);
    if (what === "start" && ran.has(run))
      report({ kind: "staleWrites", detail: `${id} began twice in epoch ${epoch}` });
    if (what === "start") ran.add(run);
    if (what === "end") ended.add(run);
    const name = `${id} ${claim.origin} ${step}`;
    const before = done.get(name);
    if (what === "stepRun" && before !== undefined && epoch! > before.epoch)
      report({
        kind: "stepsRerun",
        detail: `${life} ran ${step} in epoch ${epoch} after epoch ${before.epoch} had finished it`,
      });
    if (what === "stepDone" && before === undefined) done.set(name, { epoch: epoch!, of: of! });
    else if (what === "stepDone" && before!.of !== of)
      report({
        kind: "staleWrites",
        detail: `${life} got ${step} of epoch ${before!.of}, later of epoch ${of}`,
      });
  }
  const last = new Map<string, Entry>();
  for (const entry of history) {
    const { id, kind, status, epoch, claimed } = entry;
    if (claimed) last.set(id, entry);
    if (kind !== "task" || status !== "SUCCEEDED" || claimed) continue;
    if (last.get(id)?.epoch !== epoch || !ended.has(`${id} ${epoch}`))
      report({
        kind: "staleWrites",
        detail: `${id} SUCCEEDED in epoch ${epoch}, taken was ${last.get(id)?.epoch}, which ${ended.has(`${id} ${epoch}`) ? "has" : "has not"} ended`,
      });
  }
}
