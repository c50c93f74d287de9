import type { RunStatus, SignatureView } from "mageflow";
import { expect, test } from "vitest";
import { factLines } from "./fact-lines.ts";
import { noCounts, status, view } from "./view.test-support.ts";

test("a swarm is told in counts", () => {
  const lines = factLines(view, status, 61_000);
  expect(lines).toContain("  progress    0% of 1,000,000: 1,000 succeeded, 2 failed, 998,998 pending");
  expect(lines).toContain("  took        1m");
});

const task: SignatureView = { ...view, kind: "task", attempt: 2 };

function taskLines(change: Partial<SignatureView>, progress: RunStatus["progress"]): string[] {
  const now = { ...status, status: change.status ?? "RUNNING", counts: noCounts, progress };
  return factLines({ ...task, ...change }, now, 0).filter((line) => /progress|attempt/.test(line));
}

test("what waits for a retry says so, and a failed task is not done", () => {
  expect(taskLines({ status: "WAITING" }, { fraction: 0, note: null })).toEqual(["  attempt     2, waiting"]);
  expect(taskLines({ status: "FAILED" }, { fraction: 1, note: null })).toEqual(["  attempt     2"]);
  expect(taskLines({ status: "FAILED" }, { fraction: 0.5, note: "half" })).toEqual([
    "  progress    50% half",
    "  attempt     2",
  ]);
  expect(taskLines({ status: "SUCCEEDED" }, { fraction: 1, note: null })[0]).toBe("  progress    100%");
});
