import type { RunStatus, SignatureView, Status } from "mageflow";
import { expect, test } from "vitest";
import { factLines } from "./fact-lines.ts";
import { deletion, noCounts, status, view } from "./view.test-support.ts";

test("a swarm is told in counts", () => {
  const lines = factLines(view, status, 61_000);
  expect(lines).toContain("  progress    0% of 1,000,000: 1,000 succeeded, 2 failed, 998,998 pending");
  expect(lines).toContain("  took        1m");
});

const task: SignatureView = { ...view, kind: "task", attempt: 2 };

function taskLines(execution: Status, progress: RunStatus["progress"]): string[] {
  const now = { ...status, status: execution, execution, counts: noCounts, progress };
  return factLines({ ...task, status: execution, execution }, now, 0).filter((line) =>
    /progress|attempt/.test(line),
  );
}

test("what waits for a retry says so, and a failed task is not done", () => {
  expect(taskLines("WAITING", { fraction: 0, note: null })).toEqual(["  attempt     2, waiting"]);
  expect(taskLines("FAILED", { fraction: 1, note: null })).toEqual(["  attempt     2"]);
  expect(taskLines("FAILED", { fraction: 0.5, note: "half" })).toEqual([
    "  progress    50% half",
    "  attempt     2",
  ]);
  expect(taskLines("SUCCEEDED", { fraction: 1, note: null })[0]).toBe("  progress    100%");
});

test("a mark of deletion stands beside the status of the execution", () => {
  const lines = factLines({ ...view, status: "MARKED_FOR_DELETION", deletion }, status, 1_000);
  expect(lines).toContain("  execution   RUNNING");
  expect(lines).toContain("  removed     1970-01-01 01:00:01.000Z (in 1h), marked by ada: old");
  expect(factLines(view, status, 0).some((line) => /execution|removed/.test(line))).toBe(false);
  const retention = { ...deletion, action: "retention", by: "its retention", reason: null } as const;
  expect(factLines({ ...view, deletion: retention }, status, retention.purgeAt)).toContain(
    "  removed     1970-01-01 01:00:01.000Z (due), by its retention",
  );
});

test("what was stopped tells why, and whether it may still go on somewhere", () => {
  const stopped = (reason: string | null, clean: boolean | null): string | undefined =>
    factLines({ ...view, interrupted: { reason, clean } }, status, 0).find((line) => /stopped/.test(line));
  expect(stopped("by hand", true)).toBe("  stopped     by hand (clean: all that ran had ended by itself)");
  expect(stopped("by hand", null)).toBe("  stopped     by hand (something inside still stops)");
  expect(stopped(null, false)).toBe(
    "  stopped     not clean: code of it was ended, or given up and may still go on somewhere",
  );
});
