import { expect, test, vi } from "vitest";
import { swarm } from "../core/plans.ts";
import { systemClock } from "../engines/embedded/system-clock.ts";
import { MageFlow } from "../mageflow.ts";
import { memoryStore } from "../stores/memory/memory-store.ts";
import { sqliteStore } from "../stores/sqlite/index.ts";
import { Committer } from "./committer.ts";
import { SpecCache } from "./spec-cache.ts";

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

test.for([["memory", () => memoryStore()] as const, ["sqlite", () => sqliteStore(":memory:")] as const])(
  "a key that is given up is free for what comes later in the same transaction (%s)",
  async ([, make]) => {
    const store = make();
    const mage = new MageFlow({ store });
    const { id } = await mage.create(
      mage.task("task", () => 1),
      { key: "k" },
    );
    await mage.close();
    await store.open();
    const transact = vi.spyOn(store, "transact");
    const committer = new Committer(store, systemClock, new SpecCache(), "s-test");
    const found = (): Promise<string | null> =>
      committer.run({
        locks: [],
        apply: async (batch) => (await batch.rootWithKey("k"))?.id ?? null,
      });
    const before = found();
    const freed = committer.run({
      locks: [id],
      apply: (batch) => batch.put({ ...batch.get(id)!, key: null }),
    });
    expect(await Promise.all([before, freed, found()])).toEqual([id, undefined, null]);
    expect(transact).toHaveBeenCalledTimes(1);
    expect(await found()).toBeNull();
    await committer.close();
    await store.close();
  },
);
