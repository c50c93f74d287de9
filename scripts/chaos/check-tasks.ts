import type { Row } from "./ledger.ts";
import type { Stored } from "./stored.ts";
import type { Violation } from "./violation.ts";

/**
 * Compares what the handlers of each task did with what is stored of it. `goodbyes` is how many workers were asked to
 * stop: a task that they hand back costs two epochs, neither an attempt nor a recovery.
 */
export function checkTasks(
  rows: readonly Row[],
  stored: Stored,
  goodbyes: number,
  report: (found: Violation) => void,
): void {
  const byTask = Map.groupBy(
    rows.filter((row) => row.id !== undefined),
    ({ id, generation }) => `${id}@${generation}`,
  );
  const owners = new Map<string, string>();
  for (const [task, told] of byTask) {
    const id = told[0]!.id!;
    checkKeys(task, told);
    checkSteps(task, told);
    const view = stored.views.get(id);
    if (view === undefined) {
      report({ kind: "lost", detail: `${id} has run and is not stored` });
      continue;
    }
    const fails = told.filter(({ what }) => what === "fail").map(({ attempt }) => attempt!);
    const last = Math.max(...told.map(({ attempt }) => attempt!));
    const failedBefore = new Set(fails.filter((attempt) => attempt < view.attempt)).size;
    if (last > view.attempt || failedBefore !== view.attempt - 1) {
      report({
        kind: "miscounted",
        detail: `${id} is at attempt ${view.attempt} after ${failedBefore} failed ones, and ran as attempt ${last}`,
      });
    }
    const result = stored.results.get(id);
    if (result === undefined) continue;
    const latest = Math.max(...told.map(({ epoch }) => epoch!));
    const made = told.some(
      ({ what, epoch, pid }) => what === "end" && epoch === result.epoch && pid === result.pid,
    );
    if (result.by !== id || result.epoch < latest || !made) {
      report({
        kind: "staleWrites",
        detail: `the result of ${id} is of ${result.by} epoch ${result.epoch}, which ${made ? "has" : "has not"} ended; epoch ${latest} ran too`,
      });
    }
    const released = result.epoch - view.attempt - view.recoveries;
    if (released < 0 || released % 2 !== 0 || released > 2 * goodbyes) {
      report({
        kind: "miscounted",
        detail: `${id} ended in epoch ${result.epoch} with ${view.attempt} attempts and ${view.recoveries} recoveries`,
      });
    }
  }
  for (const { id, kind, status } of stored.views.values()) {
    if (kind !== "task" || (status !== "SUCCEEDED" && status !== "FAILED")) continue;
    if (!byTask.has(`${id}@1`))
      report({ kind: "lost", detail: `${id} is ${status}, and its handler was never entered` });
  }

  function checkKeys(task: string, told: readonly Row[]): void {
    const keys = new Set(told.map(({ key }) => key!));
    if (keys.size > 1)
      report({ kind: "keysChanged", detail: `${task} ran under the keys ${[...keys].join(" and ")}` });
    for (const key of keys) {
      const owner = owners.get(key) ?? task;
      if (owner !== task)
        report({ kind: "keysChanged", detail: `${task} and ${owner} share the key ${key}` });
      owners.set(key, task);
    }
  }

  function checkSteps(task: string, told: readonly Row[]): void {
    /** By step: the epoch that finished it, and whose result it was. */
    const done = new Map<string, { epoch: number; of: number }>();
    for (const { what, step, epoch, of } of told) {
      if (what === "stepRun") {
        const before = done.get(step!);
        // A paused worker of an older epoch may run the step too; nothing comes of it.
        if (before !== undefined && epoch! > before.epoch) {
          report({
            kind: "stepsRerun",
            detail: `${task} ran ${step} in epoch ${epoch} after epoch ${before.epoch} had finished it`,
          });
        }
      } else if (what === "stepDone") {
        const before = done.get(step!);
        if (before === undefined) done.set(step!, { epoch: epoch!, of: of! });
        else if (before.of !== of) {
          report({
            kind: "staleWrites",
            detail: `${task} got ${step} of epoch ${before.of}, later of epoch ${of}`,
          });
        }
      }
    }
  }
}
