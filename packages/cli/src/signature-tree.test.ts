import type { RunStatus, SignatureView } from "mageflow";
import { expect, test } from "vitest";
import { progressText } from "./progress.ts";
import { errorLines, rootLines, type Tree } from "./signature-tree.ts";

const view: SignatureView = {
  id: "r",
  rootId: "r",
  parentId: null,
  role: "root",
  slot: 0,
  key: null,
  kind: "swarm",
  name: "resize",
  status: "RUNNING",
  generation: 1,
  attempt: 0,
  recoveries: 0,
  priority: 0,
  tags: ["a", "b"],
  workerId: null,
  error: null,
  createdAt: 0,
  startedAt: 1_000,
  finishedAt: null,
  dueAt: null,
};
const none = {
  pending: 0,
  ready: 0,
  running: 0,
  waiting: 0,
  suspended: 0,
  interrupted: 0,
  skipped: 0,
  cleanupFailed: 0,
};
const status: RunStatus = {
  status: "RUNNING",
  execution: "RUNNING",
  deletion: null,
  counts: { ...none, total: 1_000_000, succeeded: 1_000, failed: 2, pending: 998_998 },
  progress: { fraction: 0.001, note: null },
  heldBy: null,
};

test("a large swarm is a page, with the way to the rest", () => {
  const item = (slot: number): Tree => ({
    view: {
      ...view,
      id: `r.${slot}`,
      parentId: "r",
      role: "item",
      slot,
      kind: "task",
      name: "one",
      status: "PENDING",
      startedAt: null,
    },
    inside: [],
    more: null,
  });
  const lines = rootLines(
    { view, status, inside: [item(0), item(1)], more: { count: 999_998, cursor: "1" } },
    61_000,
    (id, cursor) => `show ${id} --cursor ${cursor}`,
  );
  expect(lines).toContain("  progress    0% of 1,000,000: 1,000 succeeded, 2 failed, 998,998 pending");
  expect(lines).toContain("  took        1m");
  expect(lines.slice(-3)).toEqual([
    "├─ 0 one  PENDING",
    "├─ 1 one  PENDING",
    "└─ … 999,998 more: show r --cursor 1",
  ]);
});

test("an error shows the way to it and its causes, each on a line", () => {
  const path = [
    { id: "r", name: "all", kind: "swarm" as const, slot: 0 },
    { id: "r.7", name: "one", kind: "task" as const, slot: 7 },
  ];
  const cause = { name: "E2", message: "deep", cause: { name: "E3", message: "deeper\nforged", code: "X" } };
  expect(errorLines({ name: "E1", message: "top", attempts: 3, path, cause })).toEqual([
    "",
    "failed after 3 attempts: E1: top",
    "  at all › one[7]",
    "  id r.7",
    "  caused by E2: deep",
    "  caused by E3 (X): deeper\\nforged",
  ]);
});

test("progress tells the workflow and the step that it is at", () => {
  const inside = { view, status };
  expect(progressText({ ...status, counts: { ...none, total: 3, succeeded: 1, failed: 0 } }, inside)).toBe(
    "1/3 · resize 1,002/1,000,000 (2 failed)",
  );
  const task = { ...status, counts: { ...none, total: 0, succeeded: 0, failed: 0 } };
  const noted = { ...task, progress: { fraction: 0.456, note: "encoding" } };
  expect(progressText({ ...task, progress: { fraction: 0, note: null } }, null)).toBe("RUNNING");
  expect(progressText(noted, null)).toBe("45% encoding");
  expect(
    progressText(
      { ...status, counts: { ...none, total: 3, succeeded: 1, failed: 0 } },
      { view, status: noted },
    ),
  ).toBe("1/3 · resize 45% encoding");
  expect(progressText({ ...status, status: "SUSPENDED" }, null)).toBe(
    "1,002/1,000,000 (2 failed) · SUSPENDED",
  );
});
