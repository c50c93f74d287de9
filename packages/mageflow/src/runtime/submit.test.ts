import { expect, test } from "vitest";
import { swarm } from "../core/plans.ts";
import { MageFlow } from "../mageflow.ts";
import { memoryStore } from "../stores/memory/memory-store.ts";

test("of two trees of one key, the one that comes second leaves nothing behind", async () => {
  const store = memoryStore();
  const mage = new MageFlow({ store });
  const task = mage.task("task", () => 1);
  const plan = swarm(Array.from({ length: 2_500 }, () => task));
  const runs = await Promise.all([0, 1, 2].map(() => mage.run(plan, undefined, { key: "k" })));
  expect(new Set(runs.map(({ id }) => id)).size).toBe(1);
  const drafts = (): Promise<string[]> => store.transact((tx) => tx.abandoned(Number.MAX_SAFE_INTEGER, 10));
  await expect.poll(drafts).toEqual([]);
  await mage.close();
});
