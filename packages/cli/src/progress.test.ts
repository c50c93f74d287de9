import type { RunStatus } from "mageflow";
import { expect, test } from "vitest";
import { progressText } from "./progress.ts";
import { noCounts, status, view } from "./view.test-support.ts";

const three: RunStatus = { ...status, counts: { ...noCounts, total: 3, succeeded: 1 } };
const task: RunStatus = { ...status, counts: noCounts, progress: { fraction: 0, note: null } };
const noted: RunStatus = { ...task, progress: { fraction: 0.456, note: "encoding" } };

test.each([
  ["the workflow and the step that it is at", three, status, "1/3 · resize 1,002/1,000,000 (2 failed)"],
  ["what the step says itself", three, noted, "1/3 · resize 45% encoding"],
  ["a step that says nothing", three, task, "1/3 · resize"],
  [
    "a suspension",
    { ...status, status: "SUSPENDED", execution: "SUSPENDED" } as const,
    null,
    "1,002/1,000,000 (2 failed) · SUSPENDED",
  ],
  ["a single task", noted, null, "45% encoding"],
  [
    "a single task that waits",
    { ...noted, status: "WAITING", execution: "WAITING" } as const,
    null,
    "45% encoding · WAITING",
  ],
  [
    "a mark of deletion beside the execution",
    { ...noted, status: "MARKED_FOR_DELETION" } as const,
    null,
    "45% encoding · MARKED_FOR_DELETION",
  ],
  ["a single task that says nothing", task, null, "RUNNING"],
])("progress tells %s", (_, root, step, text) => {
  expect(progressText(root, step === null ? null : { view, status: step })).toBe(text);
});
