import { expect, test } from "vitest";
import { StoreError } from "../core/errors.ts";
import { MageFlow } from "../mageflow.ts";
import type { Changes, Store } from "../ports/store.ts";
import { memoryStore } from "../stores/memory/memory-store.ts";

/** The store, which refuses so often what `isMeant`. */
function refusing(store: Store, times: number, isMeant: (changes: Changes) => boolean): Store {
  let left = times;
  const transact = store.transact.bind(store);
  store.transact = (work) =>
    transact((tx) => {
      const write = tx.write.bind(tx);
      tx.write = async (changes) => {
        if (isMeant(changes) && left-- > 0) throw new StoreError("STORE_UNAVAILABLE", "it is away");
        await write(changes);
      };
      return work(tx);
    });
  return store;
}

test.for<[string, (changes: Changes) => boolean]>([
  ["step", ({ steps = [] }) => steps.some(({ name }) => name === "one")],
  ["resource", ({ steps = [] }) => steps.some(({ name }) => name.includes("held"))],
  ["checkpoint", ({ checkpoints = [] }) => checkpoints.length > 0],
  ["progress", ({ progress = [] }) => progress.length > 0],
  ["workflow", ({ insert = [] }) => insert.some(({ name }) => name === "other")],
])("a task does not fail because the store is away when it stores a %s", async ([, isMeant]) => {
  await using mage = new MageFlow({ store: refusing(memoryStore(), 2, isMeant) });
  const other = mage.task("other", () => null);
  const task = mage.task("task", async (_input, ctx) => {
    await ctx.step("one", () => 1);
    await ctx.resource("held", { nth: 1 }, () => {});
    await ctx.checkpoint({ at: 1 });
    await ctx.progress(0.5);
    await (await ctx.run(other)).settled();
    return ctx.attempt;
  });
  await using worker = await mage.worker();
  expect(await (await mage.run(task)).result()).toBe(1);
  expect((await mage.list()).items).toHaveLength(2);
  await worker.stop();
});
