import { expect, test } from "vitest";
import type { Tree } from "./read-subtree.ts";
import { insideLines } from "./signature-tree.ts";
import { view } from "./view.test-support.ts";

const more = (id: string, cursor: string): string => `show ${id} --cursor ${cursor}`;

function item(slot: number, change: Partial<Tree["view"]> = {}, inside: Tree[] = []): Tree {
  const id = `r.${slot}`;
  const place = { id, parentId: "r", role: "item", slot, kind: "task", name: "one" } as const;
  return { view: { ...view, ...place, status: "PENDING", startedAt: null, ...change }, inside, more: null };
}

test("a large swarm is a page, with ids that can be copied and the way to the rest", () => {
  const below = item(0, { id: "r.1.error0", role: "error", name: "note" });
  const tree: Tree = {
    view,
    inside: [item(0), item(1, { key: "k" }, [below])],
    more: { count: 999_998, cursor: "1" },
  };
  expect(insideLines(tree, { width: 80, now: 0, more })).toEqual([
    "├─ r.0  one  PENDING",
    "├─ r.1  k  one  PENDING",
    "│  └─ r.1.error0  note  PENDING",
    "└─ … 999,998 more: show r --cursor 1",
  ]);
});

test("a reason is cut to the width of the screen", () => {
  const error = { name: "Error", message: "x".repeat(200), attempts: 1, path: [] };
  const tree: Tree = { view, inside: [item(0, { status: "FAILED", error })], more: null };
  const [line] = insideLines(tree, { width: 60, now: 0, more });
  expect(line).toMatch(/^└─ r\.0 {2}one {2}FAILED {2}Error: x+…$/);
  expect(line).toHaveLength(60);
  expect(insideLines(tree, { width: 40, now: 0, more })).toEqual([
    "└─ r.0  one  FAILED",
    `   Error: ${"x".repeat(29)}…`,
  ]);
  expect(insideLines(tree, { width: Number.POSITIVE_INFINITY, now: 0, more })[0]!.length).toBeGreaterThan(90);
});
