import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { rendezvous } from "./placement.ts";
import { rehearse } from "./rehearsal.ts";

test("one more shard takes keys from all others, and nothing moves between those", () => {
  const keys = Array.from({ length: 2_000 }, (_, n) => `key ${n}`);
  const moved = keys.filter((key) => rendezvous(key, 4) !== rendezvous(key, 5));
  expect(moved.every((key) => rendezvous(key, 5) === 4)).toBe(true);
  expect(new Set(moved.map((key) => rendezvous(key, 4))).size).toBe(4);
  expect(moved.length / keys.length).toBeCloseTo(1 / 5, 1);
});

test("workflows over several stores are all found, run once and end, though one store is gone for a while and another is added", async () => {
  const folder = mkdtempSync(join(tmpdir(), "mageflow-shards-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  expect(await rehearse(folder, 60)).toMatchObject({
    workflows: 60,
    wrongRuns: 0,
    lost: 0,
    forgottenKeys: 0,
    listIsWhole: true,
    whileOneWasGone: { listToldOfIt: true },
  });
});
