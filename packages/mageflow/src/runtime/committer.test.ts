import { expect, test } from "vitest";
import { swarm } from "../core/plans.ts";
import { MageFlow } from "../mageflow.ts";
import type { Store } from "../ports/store.ts";
import { memoryStore } from "../stores/memory/memory-store.ts";

/** The store, telling how many records each transaction creates. */
function counting(store: Store, created: number[]): Store {
  const transact = store.transact.bind(store);
  store.transact = (work) =>
    transact((tx) => {
      const write = tx.write.bind(tx);
      tx.write = (changes) => {
        created.push(changes.insert?.length ?? 0);
        return write(changes);
      };
      return work(tx);
    });
  return store;
}

test("many ends with large callbacks are spread over several transactions", async () => {
  const created: number[] = [];
  await using mage = new MageFlow({ store: counting(memoryStore(), created) });
  const item = mage.task("item", () => null);
  const tick = mage.task("tick", () => null);
  const large = swarm(Array.from({ length: 100 }, () => tick));
  await using worker = await mage.worker({ concurrency: 80 });
  const run = await mage.run(
    swarm(
      Array.from({ length: 80 }, () => item),
      { concurrency: 80, onItemSuccess: large },
    ),
  );
  expect(await run.settled()).toMatchObject({ status: "SUCCEEDED" });
  // 80 callbacks of 101 records each; a transaction is full at 4,000.
  expect(Math.max(...created)).toBeLessThan(4_200);
  expect(created.reduce((sum, count) => sum + count)).toBe(81 + 80 * 101);
  await worker.stop();
});
